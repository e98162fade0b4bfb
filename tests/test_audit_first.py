"""Nothing is administered that is not in the audit: no row, no change, on any page or command."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from app import people
from app.access import Access
from app.access.accounts import AccountProblem
from app.access.walls import Display
from app.alerting import Channels
from app.audit import Audit
from app.database import Database, DatabaseFull
from app.domain.events import AgentNamed, AlarmRuleSet, CallRinging, QueueNamed, Tick
from app.log import LogUnavailable
from app.rights import Role
from app.sentences import Sentence
from app.web import account, admin, alarms, auth, users, walls
from app.web.csrf import CrossSiteGuard
from app.web.headers import SecurityHeaders
from app.web.pages import EXCEPTION_HANDLERS
from tests.admin_site import AdminSite, opened, post
from tests.site import PASSWORD

pytestmark = pytest.mark.anyio

FULL = Sentence("The disk is full.")
NEW = "eight blue herons"
PAGES = [*account.ROUTES, *users.ROUTES, *walls.ROUTES, *admin.ROUTES, *alarms.ROUTES]
RULE = {"metric": "longest_wait", "warning": "30", "critical": "90"}

# What each deed's form says, of the site that `furnished` makes, and how the audit calls the deed.
DEEDS: list[tuple[str, str, dict[str, str]]] = [
    ("change own password", "/account",
        {"do": "password", "current": PASSWORD, "password": NEW, "again": NEW}),
    ("end own session", "/account", {"do": "end", "session": "{own}"}),
    ("add user", "/admin/users", {"do": "add", "username": "bob", "role": "viewer"}),
    ("add user", "/admin/users",
        {"do": "add", "username": "bob", "password": NEW, "disabled": "1"}),
    ("change user", "/admin/users", {"username": "ann", "role": "admin"}),
    ("change user", "/admin/users", {"username": "ann", "disabled": "1"}),
    ("make sign-in link", "/admin/users", {"do": "link", "username": "ann"}),
    ("set password", "/admin/users", {"do": "password", "username": "ann", "password": NEW}),
    ("end sessions", "/admin/users", {"do": "end", "username": "ann"}),
    ("pair wall", "/admin/walls", {"code": "{code}", "name": "Lobby"}),
    ("change wall", "/admin/walls", {"do": "change", "wall": "{wall}", "name": "Yard"}),
    ("remove wall", "/admin/walls", {"do": "remove", "wall": "{wall}"}),
    ("describe agent", "/admin/agents", {"extension": "101", "name": "Ann Lê"}),
    ("describe agent", "/admin/agents", {"do": "import", "lines": "102;Bình\n103;Chi"}),
    ("describe queue", "/admin/queues", {"queue": "999", "name": "Support"}),
    ("set alarm rule", "/admin/alarms", RULE),
    ("turn alarm rule off", "/admin/alarms", {"do": "switch", "rule": "r"}),
    ("remove alarm rule", "/admin/alarms", {"do": "remove", "rule": "r"}),
    ("bring back alarm rules", "/admin/alarms", {"do": "defaults"}),
    ("acknowledge alarm", "/alarms", {"do": "acknowledge", "alarm": "{alarm}"}),
    ("shelve alarm", "/alarms", {"do": "shelve", "alarm": "{alarm}", "minutes": "15"}),
    ("add alarm channel", "/admin/channels", {"name": "Mail", "url": "json://127.0.0.1:1/y"}),
    ("remove alarm channel", "/admin/channels", {"do": "remove", "channel": "{channel}"}),
    ("make API token", "/admin/tokens", {"name": "Grafana"}),
    ("remove API token", "/admin/tokens", {"do": "remove", "token": "{token}"}),
    ("rotate webhook token", "/admin/webhooks", {"days": "3"}),
    ("revoke previous webhook token", "/admin/webhooks", {"do": "revoke"}),
]  # fmt: skip
WRONG: list[tuple[str, dict[str, str]]] = [
    ("/admin/users", {"username": "boss", "role": "viewer"}),
    ("/admin/users", {"do": "add", "username": "no name"}),
    ("/admin/users", {"do": "add", "username": "ann"}),
    ("/admin/users", {"do": "password", "username": "ann", "password": "short"}),
    ("/admin/walls", {"code": "AAAA AAAA", "name": "Lobby"}),
    ("/admin/walls", {"do": "change", "wall": "{wall}", "name": ""}),
    ("/admin/agents", {"extension": ""}),
    ("/admin/queues", {"queue": "999", "service_level_s": "0"}),
    ("/admin/alarms", {**RULE, "warning": "x"}),
    ("/admin/channels", {"name": "Mail", "url": "nothing"}),
    ("/admin/tokens", {"name": ""}),
    ("/admin/tokens", {"do": "remove", "token": "77"}),
    ("/admin/webhooks", {"days": "99"}),
]
COMMANDS: list[tuple[str, Callable[[Access], Awaitable[str]]]] = [
    ("add user", lambda access: people.add(access, "Bob", Role.VIEWER, "", NEW)),
    ("set password", lambda access: people.set_password(access, "ann", NEW)),
    ("change user", lambda access: people.disable(access, "ann")),
    ("make API token", lambda access: people.token(access, "Grafana")),
]


class Furnished(AdminSite):
    """A site that has one of everything; `ids` are what forms name things by."""

    ids: dict[str, str]


@pytest.fixture
async def site(tmp_path: Any) -> AsyncIterator[Any]:
    async with opened(str(tmp_path / "test.db")) as made:
        made.app = Starlette(
            routes=[*auth.ROUTES, *PAGES],
            middleware=[Middleware(SecurityHeaders), Middleware(CrossSiteGuard)],
            exception_handlers=EXCEPTION_HANDLERS,
        )
        made.parts.channels = await Channels.open(made.database, lambda: made.now)
        yield made


@pytest.fixture
async def boss(site: Any) -> Any:
    """An administrator who is signed in, of a site that has one of everything."""
    visitor = await site.signed_in("boss", Role.ADMIN)
    await site.signed_in("ann", Role.SUPERVISOR)
    access = site.access
    await access.walls.add(Display("Hall"), "boss", "192.0.2.9")
    await access.tokens.add("Program", "boss")
    await site.tokens.rotate()
    await site.parts.channels.add("Chat", "json://127.0.0.1:1/x", 1)
    rule = AlarmRuleSet(rule="r", metric="longest_wait", warning=60)
    await site.happen(AgentNamed(extension="101"), QueueNamed(queue="999"), rule)
    await site.happen(CallRinging(callid="1", queue="999"))
    site.now += 65_000
    await site.happen(Tick())
    user = access.accounts.named("boss")
    site.ids = {
        "own": access.sessions.of(user.user_id)[0].key,
        "code": access.pairings.begin("192.0.2.8")[1].code,
        "wall": str(access.walls.all()[0].wall_id),
        "token": str(access.tokens.all()[0].token_id),
        "channel": site.parts.channels.all()[0].channel,
        "alarm": next(iter(site.parts.floor.state.alarms)),
    }
    return visitor


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """No row of the audit can be written."""
    monkeypatch.setattr(Audit, "_chain", refuse)


async def refuse(*_: object) -> None:
    raise DatabaseFull(FULL)


def test_every_page_with_something_to_change_is_tried() -> None:
    posts = {
        each.path for each in PAGES if isinstance(each, Route) and "POST" in (each.methods or ())
    }

    # The test of the connection to the PBX changes nothing.
    assert posts == {path for _, path, _ in DEEDS} | {"/admin/pbx"}


@pytest.mark.parametrize(("action", "path", "form"), DEEDS)
async def test_without_a_row_in_the_audit_nothing_is_changed(site, boss, full, action, path, form):
    before = await world(site)
    answer = await post(boss, path, **filled(form, site.ids))

    assert answer.status_code == 503
    assert FULL in answer.text
    assert await world(site) == before


@pytest.mark.parametrize(("action", "path", "form"), DEEDS)
async def test_what_is_changed_is_in_the_audit(site, boss, action, path, form):
    before, rows = await world(site), len(await site.audited())
    answer = await post(boss, path, **filled(form, site.ids))
    added = (await site.audited())[:-rows]

    assert answer.status_code in (200, 303)
    assert await world(site) != before
    assert {row.action for row in added} == {action}
    assert {row.actor_name for row in added} == {"boss"}
    # Of what is an event, the intent comes first: the log may refuse it.
    told = [(row.kind, row.outcome) for row in reversed(added)]
    meant = [("intent", "")] * (len(added) // 2)
    assert told in ([("done", "done")], meant + [("result", "done")] * len(meant))


@pytest.mark.parametrize(("path", "form"), WRONG)
async def test_what_is_refused_is_not_in_the_audit_as_done(site, boss, path, form):
    before, rows = await world(site), await site.audited()
    answer = await post(boss, path, **filled(form, site.ids))

    assert answer.status_code in (409, 422)
    assert await world(site) == before
    assert await site.audited() == rows


@pytest.mark.parametrize("first", [True, False])
async def test_a_link_makes_no_password_without_a_row_and_works_again(site, monkeypatch, first):
    if not first:
        await site.signed_in("boss", Role.ADMIN)
        ann = await site.access.accounts.create_user("ann", Role.VIEWER)
    links = site.access.links
    secret = await (links.for_the_first() if first else links.for_user(ann.user_id))
    before, form = await world(site), {"username": "ann", "password": NEW}
    with monkeypatch.context() as broken:
        broken.setattr(Audit, "_chain", refuse)
        refused = await post(site.visitor(), f"/setup/{secret}", **form)
    unchanged = await world(site)
    let_in = await post(site.visitor(), f"/setup/{secret}", **form)
    actions = [(row.action, row.reason) for row in await site.audited()][:2]

    assert (refused.status_code, unchanged, let_in.status_code) == (503, before, 200)
    assert actions == [("sign in by link", ""), ("choose password by link", "ann")]


async def test_of_many_agents_none_is_noted_where_one_can_not_be(site, boss, monkeypatch):
    chain = Audit._chain
    written: list[Any] = []

    async def twice(*arguments: Any) -> int:
        if len(written) == 2:
            raise DatabaseFull(FULL)
        written.append(arguments)
        return await chain(*arguments)

    monkeypatch.setattr(Audit, "_chain", twice)
    rows = await site.audited()
    answer = await post(boss, "/admin/agents", do="import", lines="102;Bình\n103;Chi\n104;Dung")

    assert answer.status_code == 503
    assert len(written) == 2
    assert await site.audited() == rows


async def test_a_change_that_the_log_does_not_take_is_told_as_failed(site, boss, monkeypatch):
    async def refuse(events: object) -> int:
        raise LogUnavailable(Sentence("The events could not be saved."))

    monkeypatch.setattr(site.log, "append", refuse)
    before = await world(site)
    answer = await post(boss, "/admin/queues", queue="999", name="Support")
    failed, meant = (await site.audited())[:2]

    assert answer.status_code == 503
    assert await world(site) == before
    assert (meant.action, meant.kind) == ("describe queue", "intent")
    assert (failed.kind, failed.intent) == ("result", meant.seq)
    assert failed.outcome == "failed: The events could not be saved."


async def test_a_change_is_answered_though_its_result_can_not_be_noted(site, boss, monkeypatch):
    monkeypatch.setattr(Audit, "results", refuse)
    answer = await post(boss, "/admin/queues", queue="999", name="Support")

    assert answer.status_code == 200
    assert site.parts.floor.state.queues["999"].name == "Support"
    assert (await site.audited())[0].kind == "intent"


@pytest.mark.parametrize(("action", "command"), COMMANDS)
async def test_a_command_changes_nothing_without_its_row(site, boss, full, action, command):
    before = await world(site)
    with pytest.raises(DatabaseFull, match=FULL):
        await command(site.access)

    assert await world(site) == before


@pytest.mark.parametrize(("action", "command"), COMMANDS)
async def test_a_command_is_in_the_audit(site, boss, action, command):
    rows = len(await site.audited())
    await command(site.access)
    [added] = (await site.audited())[:-rows]

    assert (added.action, added.kind, added.outcome) == (action, "done", "done")
    assert (added.actor_id, added.actor_name) == (0, "command line")
    assert added.reason.partition(":")[0] in {"bob", "ann", "Grafana"}


async def test_a_command_that_is_refused_is_not_in_the_audit_as_done(site, boss):
    rows = await site.audited()
    with pytest.raises(AccountProblem, match="last administrator"):
        await people.disable(site.access, "boss")

    assert await site.audited() == rows


def filled(form: dict[str, str], ids: dict[str, str]) -> dict[str, str]:
    return {name: value.format(**ids) for name, value in form.items()}


async def world(site: Any) -> dict[str, Any]:
    """Everything that can be administered: as it is on disk, in memory and on the floor."""
    access, state = site.access, site.parts.floor.state
    return {
        **{name: await rows(site.database, sql) for name, sql in STORED.items()},
        "accounts": access.accounts.all(),
        "live": {each.key for each in access.sessions.all()},
        "walls": [(each.wall_id, each.display) for each in access.walls.all()],
        "waiting": [each.code for each in access.pairings.waiting()],
        "tokens": [(each.name, each.key) for each in access.tokens.all()],
        "channels": site.parts.channels.all(),
        "previous": site.tokens.previous and site.tokens.previous.digest,
        "agents": {name: (each.name, each.told) for name, each in state.agents.items()},
        "queues": {name: each.name for name, each in state.queues.items()},
        "rules": dict(state.alarm_rules),
        "alarms": {key: each.acknowledged_by for key, each in state.alarms.items()},
        "shelves": dict(state.alarm_shelves),
    }


STORED = {
    "account": "SELECT * FROM account",
    "session": "SELECT key FROM session",
    "setup_link": "SELECT * FROM setup_link",
    "wall": "SELECT id, name FROM wall",
    "api_token": "SELECT * FROM api_token",
    "alarm_channel": "SELECT * FROM alarm_channel",
    "webhook_token": "SELECT * FROM webhook_token",
}


async def rows(database: Database, sql: str) -> list[tuple[Any, ...]]:
    return await database.read(f"{sql} ORDER BY 1")
