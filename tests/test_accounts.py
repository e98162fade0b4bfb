"""Accounts: what each role may do, that changes bite at once, and that an administrator is left."""

import asyncio
from contextlib import suppress

import pytest

from app.access.accounts import AccountProblem, Accounts, Right, Role
from app.access.links import FIRST, Links
from app.access.passwords import Passwords
from app.access.sessions import Ending, Sessions
from app.database import DatabaseUnavailable
from app.rights import Principal
from app.tables import Tables

GOOD = "seven grey herons"
DAY_MS = 86_400_000


class Site:
    """Accounts, sessions and links over one database, with a clock to turn."""

    def __init__(self, database: Tables) -> None:
        self.now = 1_800_000_000_000
        self.sessions = Sessions(database, lambda: self.now, lambda: self.now / 1000)
        passwords = Passwords(time_cost=1, memory_cost=8)
        self.accounts = Accounts(database, self.sessions, passwords, lambda: self.now)
        self.links = Links(database, self.accounts, lambda: self.now)

    async def load(self) -> "Site":
        for part in (self.accounts, self.sessions, self.links):
            await part.load()
        return self

    async def signed_in(self, user_id: int) -> Principal:
        secret = await self.sessions.open(user_id, "192.0.2.1", "Firefox")
        session = self.sessions.find(secret)
        assert session
        principal = self.accounts.principal(session)
        assert principal
        return principal

    def now_is(self, principal: Principal) -> Principal | None:
        session = self.sessions.by_key(principal.session)
        return self.accounts.principal(session) if session else None


@pytest.fixture
async def site(database):
    return await Site(database).load()


@pytest.mark.anyio
async def test_a_user_signs_in_with_the_right_password_only(site):
    created = await site.accounts.create_user("Ann", Role.SUPERVISOR, GOOD, name="Ann Đặng")

    assert await site.accounts.authenticate("ANN", GOOD) == created
    assert await site.accounts.authenticate("ann", "wrong") is None
    assert await site.accounts.authenticate("nobody", GOOD) is None
    assert await site.accounts.authenticate("\u0455up", GOOD) is None
    assert (await site.signed_in(created.user_id)).name == "Ann Đặng"


@pytest.mark.anyio
async def test_a_user_without_a_password_can_not_sign_in(site):
    await site.accounts.create_user("ann", Role.VIEWER)

    assert await site.accounts.authenticate("ann", "") is None


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("username", "password", "details", "field"),
    [
        ("", GOOD, {}, "username"),
        ("ann\x00", GOOD, {}, "username"),
        ("' OR 1=1 --", GOOD, {}, "username"),
        ("\u0455up", GOOD, {}, "username"),
        ("a" * 65, GOOD, {}, "username"),
        ("ann", "1234567", {}, "password"),
        ("ann", "password123", {}, "password"),
        ("ann", GOOD, {"extension": "101&key=x"}, "extension"),
        ("ann", GOOD, {"language": "xx"}, "language"),
        ("ann", GOOD, {"name": "a\nb"}, "name"),
        ("ann", GOOD, {"name": "n" * 65}, "name"),
    ],
)
async def test_an_account_that_makes_no_sense_is_refused(site, username, password, details, field):
    with pytest.raises(AccountProblem) as caught:
        await site.accounts.create_user(username, Role.VIEWER, password, **details)

    assert caught.value.field == field
    assert site.accounts.all() == []


@pytest.mark.anyio
async def test_the_longest_names_are_taken_whole(site):
    longest = await site.accounts.create_user("a" * 64, Role.VIEWER, name="Đ" * 64)

    assert (longest.username, longest.name) == ("a" * 64, "Đ" * 64)


@pytest.mark.anyio
async def test_a_user_name_is_taken_once(site):
    await site.accounts.create_user("ann", Role.VIEWER)
    with pytest.raises(AccountProblem, match="already"):
        await site.accounts.create_user("Ann", Role.ADMIN)


@pytest.mark.anyio
@pytest.mark.parametrize("change", [{"role": Role.VIEWER}, {"disabled": True}])
async def test_a_demoted_or_disabled_user_is_out_at_once(site, change):
    user = await site.accounts.create_user("ann", Role.SUPERVISOR, GOOD)
    principal = await site.signed_in(user.user_id)
    waiting = asyncio.create_task(site.sessions.wait_ended(principal.session))
    await asyncio.sleep(0)
    await site.accounts.change(user.user_id, **change)

    assert await asyncio.wait_for(waiting, 1) is Ending.SIGNED_OUT
    assert site.now_is(principal) is None


@pytest.mark.anyio
async def test_a_new_password_ends_every_session_and_the_old_one_stops(site):
    user = await site.accounts.create_user("ann", Role.SUPERVISOR, GOOD)
    principals = [await site.signed_in(user.user_id) for _ in range(2)]
    await site.accounts.set_password(user.user_id, "eight blue herons")

    assert [site.now_is(each) for each in principals] == [None, None]
    assert await site.accounts.authenticate("ann", GOOD) is None
    assert await site.accounts.authenticate("ann", "eight blue herons")


@pytest.mark.anyio
async def test_a_right_that_was_taken_is_gone_with_the_next_question(site):
    user = await site.accounts.create_user("ann", Role.SUPERVISOR, GOOD)
    principal = await site.signed_in(user.user_id)
    waiting = asyncio.create_task(site.sessions.wait_ended(principal.session))
    await asyncio.sleep(0)
    await site.accounts.change(
        user.user_id, rights=frozenset({Right.PAUSE}), queues=frozenset({"999"})
    )

    assert await asyncio.wait_for(waiting, 1) is Ending.CHANGED
    now = site.now_is(principal)
    assert now.rights == {Right.PAUSE}
    assert now.queues == {"999"}


@pytest.mark.anyio
async def test_rights_chosen_for_one_role_do_not_survive_into_another(site):
    user = await site.accounts.create_user(
        "ann", Role.SUPERVISOR, GOOD, rights=frozenset({Right.LISTEN})
    )
    changed = await site.accounts.change(user.user_id, role=Role.VIEWER)
    assert changed.rights is None

    chosen = frozenset({Right.SEE_NUMBERS})
    changed = await site.accounts.change(user.user_id, role=Role.SUPERVISOR, rights=chosen)
    assert changed.rights == chosen
    assert (await site.accounts.change(user.user_id, name="Ann")).rights == chosen


@pytest.mark.anyio
@pytest.mark.parametrize("change", [{"role": Role.VIEWER}, {"disabled": True}])
async def test_the_last_administrator_stays(site, change):
    admin = await site.accounts.create_user("admin", Role.ADMIN, GOOD)
    with pytest.raises(AccountProblem, match="last administrator"):
        await site.accounts.change(admin.user_id, **change)

    assert site.accounts.get(admin.user_id).is_admin


@pytest.mark.anyio
async def test_two_administrators_can_not_demote_each_other_at_once(site):
    pair = [await site.accounts.create_user(name, Role.ADMIN, GOOD) for name in ("ann", "bob")]
    outcomes = await asyncio.gather(
        *(site.accounts.change(each.user_id, role=Role.VIEWER) for each in pair),
        return_exceptions=True,
    )

    assert sum(isinstance(outcome, AccountProblem) for outcome in outcomes) == 1
    assert sum(account.is_admin for account in site.accounts.all()) == 1


@pytest.mark.anyio
async def test_what_another_program_changes_bites_within_one_refresh(site, database):
    user = await site.accounts.create_user("ann", Role.SUPERVISOR, GOOD)
    principal = await site.signed_in(user.user_id)
    waiting = asyncio.create_task(site.sessions.wait_ended(principal.session))
    await asyncio.sleep(0)
    elsewhere = await Site(database).load()
    await elsewhere.accounts.disable(user.user_id)
    await site.accounts.refresh()

    assert await asyncio.wait_for(waiting, 1) is Ending.SIGNED_OUT
    assert site.now_is(principal) is None


@pytest.mark.anyio
async def test_a_disk_that_refuses_keeps_nobody_of_several_signed_in(site, database, monkeypatch):
    users = [await site.accounts.create_user(name, Role.VIEWER, GOOD) for name in ("ann", "bo")]
    principals = [await site.signed_in(user.user_id) for user in users]
    waiting = [asyncio.create_task(site.sessions.wait_ended(each.session)) for each in principals]
    await asyncio.sleep(0)
    elsewhere = await Site(database).load()

    async def refuse(*given, **more):
        raise DatabaseUnavailable("The disk is full.")

    monkeypatch.setattr("app.access.sessions.delete_rows", refuse)
    for user in users:
        with suppress(DatabaseUnavailable):
            await elsewhere.accounts.disable(user.user_id)
    # Among nodes one hears of it by itself.
    with suppress(DatabaseUnavailable):
        await site.accounts.refresh()

    assert await asyncio.wait_for(asyncio.gather(*waiting), 1) == [Ending.SIGNED_OUT] * 2
    monkeypatch.undo()
    await site.accounts.refresh()
    assert await database.read("SELECT count(*) FROM session") == [(0,)]


@pytest.mark.anyio
async def test_accounts_come_back_equal_after_a_restart(site, database):
    await site.accounts.create_user(
        "ann",
        Role.SUPERVISOR,
        GOOD,
        name="Ann",
        extension="500",
        language="vi",
        queues=frozenset({"999", "Bán hàng"}),
        rights=frozenset({Right.LISTEN, Right.SEE_NUMBERS}),
    )
    again = await Site(database).load()

    assert again.accounts.all() == site.accounts.all()


@pytest.mark.anyio
async def test_the_first_link_makes_an_administrator_once(site, database):
    secret = await site.links.for_the_first()
    assert secret not in str(await database.read("SELECT * FROM setup_link"))
    assert await site.links.whose(secret) == FIRST
    admin = await site.links.use(secret, "boss", GOOD)

    assert admin.role is Role.ADMIN
    assert await site.links.for_the_first() is None
    assert await site.links.whose(secret) is None
    with pytest.raises(AccountProblem):
        await site.links.use(secret, "other", GOOD)


@pytest.mark.anyio
async def test_a_link_used_twice_at_once_makes_one_administrator(site):
    secret = await site.links.for_the_first()
    outcomes = await asyncio.gather(
        *(site.links.use(secret, name, GOOD) for name in ("ann", "bob")), return_exceptions=True
    )

    assert sum(isinstance(outcome, AccountProblem) for outcome in outcomes) == 1
    assert len(site.accounts.all()) == 1


@pytest.mark.anyio
async def test_a_link_outlives_a_bad_password_but_not_a_day(site):
    secret = await site.links.for_the_first()
    for password in ("", "short"):
        with pytest.raises(AccountProblem):
            await site.links.use(secret, "boss", password)
    assert await site.links.whose(secret) == FIRST

    site.now += DAY_MS + 1
    assert await site.links.whose(secret) is None


@pytest.mark.anyio
async def test_only_the_newest_first_link_works(site):
    first = await site.links.for_the_first()
    second = await site.links.for_the_first()

    assert await site.links.whose(first) is None
    assert await site.links.whose(second) == FIRST


@pytest.mark.anyio
async def test_a_link_lets_a_user_choose_a_password(site):
    user = await site.accounts.create_user("ann", Role.VIEWER)
    secret = await site.links.for_user(user.user_id)
    assert (await site.links.whose(secret)).username == "ann"
    await site.links.use(secret, "ignored", GOOD)

    assert await site.accounts.authenticate("ann", GOOD)
    assert [each.username for each in site.accounts.all()] == ["ann"]


@pytest.mark.anyio
async def test_a_session_that_a_disabled_user_still_has_is_nobodys(site):
    user = await site.accounts.create_user("ann", Role.VIEWER, GOOD)
    await site.accounts.disable(user.user_id)
    session = site.sessions.find(await site.sessions.open(user.user_id, "", ""))

    assert site.accounts.principal(session) is None
