"""Two nodes of one site: who signs in, is shut out or changed on one is so on the other at once."""

import asyncio
import secrets
from dataclasses import dataclass

import pytest

from app.access import Access
from app.access.accounts import AccountProblem
from app.access.links import FIRST
from app.access.passwords import Passwords
from app.access.sessions import IDLE_S, Ending
from app.access.walls import Display
from app.alerting.channels import Channels
from app.audit import Actor, Deed
from app.database import DatabaseUnavailable
from app.rights import Role
from app.sharing.parts import SHARED
from app.webhook_tokens import WebhookTokens
from tests.nodes import Node, Site
from tests.waiting import until

pytestmark = pytest.mark.anyio

GOOD = "seven grey herons"
MINUTE_MS = 60_000
ANN = Actor(7, "Ann", "supervisor", "ab" * 32, "192.0.2.1")


@dataclass
class Door:
    """One node's door."""

    node: Node
    access: Access
    hook: WebhookTokens
    channels: Channels


class Doors:
    """Two nodes with all their parts, and a clock that both look at."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.clock = site.clock
        self.appends = lambda: site.log.last_seq

    async def open(self, number: int) -> "Doors":
        self.each = [await self._door() for _ in range(number)]
        self.a, self.b = self.each[:2]
        return self

    async def _door(self) -> Door:
        node = await self.site.node(parts=SHARED)
        monotonic = lambda: self.clock.now / 1000  # noqa: E731 (as short as what it stands for)
        access = await Access.open(
            node.shared,
            self.clock,
            passwords=Passwords(time_cost=1, memory_cost=8),
            monotonic=monotonic,
        )
        hook = await WebhookTokens.open(node.shared, self.clock)
        return Door(node, access, hook, await Channels.open(node.shared, self.clock))

    async def passes(self, milliseconds: int) -> None:
        """Time, with the sweeps of both nodes at the same moment of each minute."""
        for _ in range(milliseconds // MINUTE_MS):
            self.clock.now += MINUTE_MS
            await asyncio.gather(*(door.access.sweep() for door in self.each))


@pytest.fixture
async def doors():
    site = Site()
    yield await Doors(site).open(2)
    await site.agreed()
    await site.close()


async def signed_in(door: Door, user_id: int) -> str:
    return await door.access.sessions.open(user_id, "192.0.2.1", "Firefox")


async def test_a_browser_that_signed_in_here_is_known_there(doors):
    ann = await doors.a.access.accounts.create_user("ann", Role.VIEWER, GOOD)
    secret = await signed_in(doors.a, ann.user_id)
    await until(lambda: doors.b.access.sessions.find(secret) is not None)

    session = doors.b.access.sessions.find(secret)
    assert doors.b.access.accounts.principal(session).name == "ann"
    assert await doors.b.access.accounts.authenticate("ann", GOOD) == ann


async def test_signing_out_here_closes_the_board_there(doors):
    secret = await signed_in(doors.a, 7)
    await until(lambda: doors.b.access.sessions.find(secret) is not None)
    key = doors.b.access.sessions.find(secret).key
    board = asyncio.create_task(doors.b.access.sessions.wait_ended(key))
    await doors.a.access.sessions.end([key])

    assert await asyncio.wait_for(board, 5) is Ending.SIGNED_OUT
    assert doors.b.access.sessions.find(secret) is None


async def test_who_is_shut_out_here_is_out_there(doors):
    ann = await doors.a.access.accounts.create_user("ann", Role.VIEWER, GOOD)
    secret = await signed_in(doors.a, ann.user_id)
    await until(lambda: doors.b.access.sessions.find(secret) is not None)
    key = doors.b.access.sessions.find(secret).key
    board = asyncio.create_task(doors.b.access.sessions.wait_ended(key))
    await doors.a.access.accounts.disable(ann.user_id)

    assert await asyncio.wait_for(board, 5) is Ending.SIGNED_OUT
    await until(lambda: doors.b.access.accounts.get(ann.user_id).disabled)
    await until(lambda: not doors.a.access.sessions.all() + doors.b.access.sessions.all())


async def test_other_queues_here_re_open_the_board_there(doors):
    ann = await doors.b.access.accounts.create_user("ann", Role.VIEWER, GOOD)
    secret = await signed_in(doors.b, ann.user_id)
    key = doors.b.access.sessions.find(secret).key
    board = asyncio.create_task(doors.b.access.sessions.wait_ended(key))
    await until(lambda: doors.a.access.accounts.get(ann.user_id) is not None)
    await doors.a.access.accounts.change(ann.user_id, queues=frozenset({"600"}))

    assert await asyncio.wait_for(board, 5) is Ending.CHANGED


async def test_who_uses_one_node_is_not_idle_on_the_other(doors):
    secret = await signed_in(doors.a, 7)
    await until(lambda: doors.b.access.sessions.find(secret) is not None)
    for _ in range(3 * IDLE_S // 1500):
        await doors.passes(25 * MINUTE_MS)
        assert doors.b.access.sessions.find(secret)
        await doors.site.settled()

    assert doors.a.access.sessions.find(secret)


async def test_an_idle_session_ends_on_both_with_one_change(doors):
    await signed_in(doors.a, 7)
    await until(lambda: len(doors.b.access.sessions.all()) == 1)
    before = doors.appends()
    await doors.passes(IDLE_S * 1000 + 2 * MINUTE_MS)
    await doors.site.settled()
    records = await doors.site.log.records(range(before + 1, doors.appends() + 1))

    assert await doors.a.node.read("SELECT * FROM session") == []
    assert doors.b.access.sessions.all() == []
    # The change, and perhaps the void one of the slower node.
    assert 1 <= len(records) <= 2


async def test_idle_nodes_write_nothing(doors):
    await doors.a.access.walls.add(Display("Hall"), "ann", "192.0.2.7")
    await doors.a.access.tokens.add("grafana", "ann")
    await doors.site.settled()
    before = doors.appends()
    await doors.passes(60 * MINUTE_MS)

    assert doors.appends() == before


async def test_who_looks_all_day_is_written_down_four_times_an_hour(doors):
    token = await doors.a.access.walls.add(Display("Hall"), "ann", "192.0.2.7")
    program = await doors.a.access.tokens.add("grafana", "ann")
    secret = await signed_in(doors.a, 7)
    await doors.site.settled()
    await until(lambda: doors.b.access.tokens.accepts(program))
    wall = doors.a.access.walls.find(token)
    session = doors.a.access.sessions.find(secret)
    before = doors.appends()
    with (
        doors.a.access.walls.open_board(wall.key),
        doors.a.access.sessions.open_board(session.key),
    ):
        for _ in range(60):
            doors.a.access.tokens.accepts(program)
            doors.b.access.tokens.accepts(program)
            await doors.passes(MINUTE_MS)
            await doors.site.settled()

    assert doors.appends() - before <= 4 * 3 + 4


async def test_two_administrators_can_not_demote_each_other_at_once(doors):
    ann = await doors.a.access.accounts.create_user("ann", Role.ADMIN, GOOD)
    bob = await doors.a.access.accounts.create_user("bob", Role.ADMIN, GOOD)
    await until(lambda: len(doors.b.access.accounts.all()) == 2)
    answers = await asyncio.gather(
        doors.a.access.accounts.change(ann.user_id, role=Role.VIEWER),
        doors.b.access.accounts.change(bob.user_id, role=Role.VIEWER),
        return_exceptions=True,
    )

    [refused] = [answer for answer in answers if isinstance(answer, AccountProblem)]
    assert "last administrator" in str(refused)
    await doors.site.settled()
    await doors.b.access.accounts.refresh()
    assert [account.is_admin for account in doors.b.access.accounts.all()].count(True) == 1


async def test_one_name_is_given_once(doors):
    answers = await asyncio.gather(
        *(door.access.accounts.create_user("ann", Role.VIEWER) for door in doors.each),
        return_exceptions=True,
    )

    assert sum(isinstance(answer, AccountProblem) for answer in answers) == 1


async def test_two_changes_of_one_account_at_once_both_stay(doors):
    ann = await doors.a.access.accounts.create_user("ann", Role.VIEWER, GOOD)
    await until(lambda: doors.b.access.accounts.get(ann.user_id) is not None)
    await asyncio.gather(
        doors.a.access.accounts.change(ann.user_id, name="Ann Đặng"),
        doors.b.access.accounts.set_password(ann.user_id, "nine brown otters"),
    )
    await doors.site.settled()
    await doors.a.access.accounts.refresh()

    assert doors.a.access.accounts.get(ann.user_id).name == "Ann Đặng"
    assert await doors.a.access.accounts.authenticate("ann", "nine brown otters")


async def test_a_link_works_on_one_node_only_once(doors):
    secret = await doors.a.access.links.for_the_first()
    await doors.site.settled()
    assert await doors.b.access.links.whose(secret) == FIRST
    answers = await asyncio.gather(
        doors.a.access.links.use(secret, "ann", GOOD),
        doors.b.access.links.use(secret, "bob", GOOD),
        return_exceptions=True,
    )

    assert sum(isinstance(answer, AccountProblem) for answer in answers) == 1
    [[users]] = await doors.a.node.read("SELECT count(*) FROM account")
    assert users == 1


async def test_a_wall_is_let_in_changed_and_turned_off_from_any_node(doors):
    token = await doors.a.access.walls.add(Display("Hall"), "ann", "192.0.2.7")
    await until(lambda: doors.b.access.walls.find(token) is not None)
    wall = doors.b.access.walls.find(token)
    screen = asyncio.create_task(doors.b.access.walls.wait_ended(wall.key))
    await doors.a.access.walls.change(wall.wall_id, Display("Hall", theme="light"))

    assert await asyncio.wait_for(screen, 5) is Ending.CHANGED
    assert doors.b.access.walls.find(token).display.theme == "light"
    screen = asyncio.create_task(doors.b.access.walls.wait_ended(wall.key))
    await doors.a.access.walls.remove(wall.wall_id)
    assert await asyncio.wait_for(screen, 5) is Ending.SIGNED_OUT
    assert doors.b.access.walls.find(token) is None


async def test_a_wall_that_was_turned_off_does_not_come_back(doors):
    token = await doors.a.access.walls.add(Display("Hall"), "ann", "192.0.2.7")
    await doors.a.access.walls.add(Display("Yard"), "ann", "192.0.2.8")
    await until(lambda: len(doors.b.access.walls.all()) == 2)
    wall = doors.b.access.walls.find(token)
    doors.b.node.wire.is_cut = True
    with pytest.raises(DatabaseUnavailable):
        await doors.b.access.walls.remove(wall.wall_id)
    doors.b.node.wire.is_cut = False
    [yard] = doors.b.access.walls.all()
    await doors.a.access.walls.change(yard.wall_id, Display("Garden"))
    await until(lambda: doors.b.access.walls.all()[0].display.name == "Garden")

    assert doors.b.access.walls.find(token) is None


async def test_a_program_s_token_works_and_ends_on_every_node(doors):
    token = await doors.a.access.tokens.add("grafana", "ann")
    await until(lambda: doors.b.access.tokens.accepts(token))
    [known] = doors.b.access.tokens.all()
    await doors.b.access.tokens.remove(known.token_id)
    await until(lambda: not doors.a.access.tokens.accepts(token))


async def test_one_webhook_token_is_made_and_told_once(doors):
    told = [door.hook.made for door in doors.each]

    assert told[0]
    assert told[1] is None
    assert all(door.hook.accepts(told[0].encode()) for door in doors.each)


async def test_of_two_first_webhook_tokens_at_once_one_is_told():
    site = Site()
    nodes = [await site.node(parts=SHARED) for _ in range(2)]
    hooks = await asyncio.gather(*(WebhookTokens.open(node.shared, site.clock) for node in nodes))
    [made] = [hook.made for hook in hooks if hook.made]

    assert all(hook.accepts(made.encode()) and not hook.previous for hook in hooks)
    await site.agreed()
    await site.close()


async def test_a_webhook_token_that_was_changed_here_opens_the_hook_there(doors):
    first, other = doors.a.hook.made.encode(), secrets.token_urlsafe(32).encode()
    second = (await doors.b.hook.rotate()).encode()
    await until(lambda: doors.a.hook.accepts(second))

    assert doors.a.hook.accepts(first)
    assert not doors.a.hook.accepts(other)
    await doors.a.hook.revoke_previous()
    await until(lambda: not doors.b.hook.accepts(first))


async def test_channels_are_the_same_on_every_node(doors):
    await doors.a.channels.add("Mail", "mailtos://a:b@example.test", 2)
    await until(lambda: len(doors.b.channels.all()) == 1)
    [channel] = doors.b.channels.all()
    await doors.b.channels.remove(channel.channel)
    await until(lambda: doors.a.channels.all() == [])


async def test_the_audit_is_one_chain_whoever_writes(doors):
    deeds = [door.access.audit.done(ANN, Deed("export")) for _ in range(10) for door in doors.each]
    await asyncio.gather(*deeds)
    await doors.site.settled()

    for door in doors.each:
        assert await door.access.audit.verify() is None
        assert len(await door.access.audit.page()) == 20
    number = Deed("listen", phone="+84 938 363 739")
    await doors.a.access.audit.done(ANN, number)
    await doors.site.settled()
    assert await doors.a.access.audit.anchor() == await doors.b.access.audit.anchor()


async def test_an_intent_here_has_its_result_there(doors):
    intent = await doors.a.access.audit.intent(ANN, Deed("listen", phone="0938363739"))
    await doors.site.settled()
    await doors.b.access.audit.result(intent, "done")
    await doors.site.settled()

    [result, stored] = await doors.a.access.audit.page()
    assert (result.kind, result.intent, result.number_hmac) == (
        "result",
        stored.seq,
        stored.number_hmac,
    )


async def test_old_rows_of_the_audit_go_everywhere_and_no_others(doors):
    for _ in range(5):
        await doors.a.access.audit.done(ANN, Deed("export"))
        doors.clock.now += MINUTE_MS
    limit = doors.clock.now - 2 * MINUTE_MS
    await doors.site.settled()
    counts = await asyncio.gather(*(door.access.audit.forget(limit) for door in doors.each))
    await doors.site.settled()

    assert sorted(counts) == [0, 3]
    assert await doors.b.access.audit.verify() is None
    assert len(await doors.b.access.audit.page()) == 2
    for door in doors.each:
        for sql in ("DELETE FROM audit", "UPDATE audit SET outcome = 'x'"):
            with pytest.raises(Exception, match="append-only"):
                await door.node.write(sql)
            with pytest.raises(Exception, match="append-only"):
                await door.node.database.write(lambda connection, sql=sql: connection.execute(sql))
