"""The pages of alarms: seeing, silencing, the log; rules and channels; and who may not."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from app.alerting import Channels
from app.domain.events import AlarmRuleSet, CallRinging, QueueNamed, Tick
from app.rights import Role
from app.web import admin, alarms, auth
from app.web.csrf import CrossSiteGuard
from app.web.headers import SecurityHeaders
from app.web.pages import EXCEPTION_HANDLERS
from tests.admin_site import AdminSite, opened
from tests.site import OURS, found

pytestmark = pytest.mark.anyio

JSON = {**OURS, "Accept": "application/json"}
WAIT = AlarmRuleSet(rule="r", metric="longest_wait", warning=60, critical=120)
SECRET = "json://user:s3cr3t-word@127.0.0.1:1/tok3n"


class Postman:
    """Stands for the notifier: notes what it is to send."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.error = ""

    async def attempt(self, url: str, title: str, body: str) -> str:
        self.sent.append(url)
        return self.error


@pytest.fixture
async def site(tmp_path) -> AsyncIterator[Any]:
    async with opened(str(tmp_path / "test.db")) as made:
        made.app = Starlette(
            routes=[*auth.ROUTES, *admin.ROUTES, *alarms.ROUTES],
            middleware=[Middleware(SecurityHeaders), Middleware(CrossSiteGuard)],
            exception_handlers=EXCEPTION_HANDLERS,
        )
        made.parts.channels = await Channels.open(made.database, lambda: made.now)
        made.parts.notifier = Postman()
        yield made


async def alarmed(site: AdminSite, *rules: AlarmRuleSet) -> None:
    """Two callers have waited too long, one in each queue."""
    await site.happen(QueueNamed(queue="999", name="Sales"), *(rules or (WAIT,)))
    await site.happen(*(CallRinging(callid=queue, queue=queue) for queue in ("999", "888")))
    site.now += 65_000
    await site.happen(Tick())


def keys(site: AdminSite) -> list[str]:
    return sorted(site.parts.floor.state.alarms)


# What stands


async def test_what_stands_is_shown_with_its_limit(site):
    await alarmed(site)
    ann = await site.signed_in("ann", Role.SUPERVISOR)
    page = (await ann.get("/alarms")).text

    assert "Longest wait" in page
    assert "<bdi>Sales</bdi>: 1:05" in page
    assert "over 1:00" in page


async def test_a_supervisor_sees_to_an_alarm(site):
    await alarmed(site)
    ann = await site.signed_in("ann", Role.SUPERVISOR, name="Ann")
    fields = {"do": "acknowledge", "alarm": "r/999"}
    answer = await ann.post("/alarms", data=fields, headers=OURS)

    assert "acknowledged by Ann" in answer.text
    assert site.parts.floor.state.alarms["r/999"].acknowledged_by == "Ann"
    told = [row for row in await site.audited() if row.action == "acknowledge alarm"]
    assert [(row.kind, row.actor_name, row.queue) for row in told] == [
        ("result", "Ann", "999"),
        ("intent", "Ann", "999"),
    ]


async def test_a_supervisor_silences_an_alarm_and_ends_that(site):
    await alarmed(site)
    ann = await site.signed_in("ann", Role.SUPERVISOR, name="Ann")
    fields = {"alarm": "r/999", "minutes": "30"}
    answer = await ann.post("/alarms", data={**fields, "do": "shelve"}, headers=OURS)
    assert "silenced by Ann until" in answer.text
    assert site.parts.floor.state.alarm_shelves["r/999"].until == site.now + 30 * 60_000

    await ann.post("/alarms", data={**fields, "do": "unshelve"}, headers=OURS)
    site.now += 5_000
    await site.happen(Tick())
    assert site.parts.floor.state.alarm_shelves == {}


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"do": "acknowledge", "alarm": "r/777"}, 409),
        ({"do": "fly", "alarm": "r/999"}, 422),
        ({"do": "shelve", "alarm": "r/999"}, 422),
        ({"do": "shelve", "alarm": "r/999", "minutes": "0"}, 422),
        ({"do": "shelve", "alarm": "r/999", "minutes": "1441"}, 422),
    ],
)
async def test_what_makes_no_sense_is_refused_in_words(site, fields, status):
    await alarmed(site)
    ann = await site.signed_in("ann", Role.SUPERVISOR)
    answer = await ann.post("/alarms", data=fields, headers=JSON)

    assert answer.status_code == status
    assert answer.json()["message"]
    assert (await ann.post("/alarms", data=fields, headers=OURS)).status_code == status


async def test_the_board_is_answered_in_json(site):
    await alarmed(site)
    ann = await site.signed_in("ann", Role.SUPERVISOR)
    answer = await ann.post("/alarms", data={"do": "acknowledge", "alarm": "r/999"}, headers=JSON)

    assert answer.json() == {"ok": True, "message": ""}


async def test_a_viewer_looks_and_does_nothing(site):
    await alarmed(site)
    eve = await site.signed_in("eve", Role.VIEWER)
    fields = {"do": "acknowledge", "alarm": "r/999"}
    answer = await eve.post("/alarms", data=fields, headers=OURS)

    assert answer.status_code == 403
    assert "Acknowledge</button>" not in (await eve.get("/alarms")).text
    assert (await site.audited())[0].kind == "denied"
    assert site.parts.floor.state.alarms["r/999"].acknowledged_at is None


async def test_strangers_see_nothing(site):
    answer = await site.visitor().get("/alarms")

    assert answer.headers["location"].startswith("/login")
    assert (await site.visitor().get("/alarms/export")).status_code == 303


async def test_another_queue_is_neither_shown_nor_touched(site):
    await alarmed(site)
    ann = await site.signed_in("ann", Role.SUPERVISOR, queues=frozenset({"888"}))
    page, log = (await ann.get("/alarms")).text, (await ann.get("/alarms/export")).text
    fields = {"do": "acknowledge", "alarm": "r/999"}

    assert "Sales" not in page + log
    assert all("888" in text for text in (page, log))
    assert (await ann.post("/alarms", data=fields, headers=JSON)).status_code == 409


# The log


async def test_the_log_is_read_in_pages(site):
    await alarmed(site, AlarmRuleSet(rule="r", metric="waiting", warning=0, repeat_s=5))
    for _ in range(60):
        site.now += 5_000
        await site.happen(Tick())
    ann = await site.signed_in("ann", Role.SUPERVISOR)
    first = (await ann.get("/alarms")).text
    older = found(r'href="(/alarms\?before=\d+)"', first)
    second = (await ann.get(older)).text

    assert first.count("<time datetime") == 100
    assert second.count("<time datetime") == 22
    assert "?before" not in second


async def test_the_log_as_csv_runs_no_formula(site):
    await alarmed(site)
    await site.happen(QueueNamed(queue="999", name="=cmd()"))
    ann = await site.signed_in("ann", Role.SUPERVISOR)
    answer = await ann.get("/alarms/export")
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert {row["name"] for row in rows} == {"'=cmd()", "888"}
    assert rows[0]["what"] == "raised"
    assert rows[0]["level"] == "warning"
    assert rows[0]["at_utc"].endswith("+00:00")
    newest = (await site.audited())[0]
    assert (newest.kind, newest.action, newest.actor_name) == (
        "done",
        "export alarms as csv",
        "ann",
    )


# Rules


RULE = {
    "metric": "longest_wait",
    "scope": "999",
    "warning": "60",
    "critical": "120,5",
    "dead_band": "5",
    "on_delay_s": "10",
    "repeat_s": "300",
    "active_from": "22:00",
    "active_to": "06:00",
    "weekdays": ["1", "5"],
}


async def test_an_administrator_adds_changes_and_removes_a_rule(site):
    await site.happen(QueueNamed(queue="999", name="Sales"))
    boss = await site.signed_in("boss", Role.ADMIN)
    page = (await boss.post("/admin/alarms", data=RULE, headers=OURS)).text
    [rule] = site.parts.floor.state.alarm_rules.values()
    assert "Warning over 1:00, critical over 2:00 for 0:10" in page
    assert "from 22:00 to 06:00; Mon Fri" in page
    assert (rule.scope, rule.critical, rule.weekdays) == ("999", 120.5, (1, 5))

    changed = {**RULE, "rule": rule.rule, "warning": "30"}
    await boss.post("/admin/alarms", data=changed, headers=OURS)
    assert site.parts.floor.state.alarm_rules[rule.rule].warning == 30
    await boss.post("/admin/alarms", data={"do": "switch", "rule": rule.rule}, headers=OURS)
    assert not site.parts.floor.state.alarm_rules[rule.rule].enabled
    await boss.post("/admin/alarms", data={"do": "remove", "rule": rule.rule}, headers=OURS)
    assert site.parts.floor.state.alarm_rules == {}
    actions = [row.action for row in await site.audited()]
    assert {"set alarm rule", "turn alarm rule off", "remove alarm rule"} <= set(actions)


@pytest.mark.parametrize(
    "wrong",
    [
        {"metric": "magic"},
        {"warning": "", "critical": ""},
        {"warning": "lots"},
        {"warning": "120", "critical": "60"},
        {"warning": "60", "critical": "60"},
        {"metric": "free_agents", "warning": "1", "critical": "2"},
        {"metric": "service_level", "warning": "101", "critical": ""},
        {"on_delay_s": "-1"},
        {"repeat_s": "86401"},
        {"active_from": "25:00"},
        {"weekdays": "8"},
        {"rule": "unknown"},
        {"do": "fly"},
    ],
    ids=str,
)
async def test_a_rule_that_makes_no_sense_is_not_set(site, wrong):
    boss = await site.signed_in("boss", Role.ADMIN)
    answer = await boss.post("/admin/alarms", data={**RULE, **wrong}, headers=OURS)

    assert answer.status_code == 422
    assert site.parts.floor.state.alarm_rules == {}


async def test_the_suggested_rules_come_back(site):
    boss = await site.signed_in("boss", Role.ADMIN)
    page = (await boss.post("/admin/alarms", data={"do": "defaults"}, headers=OURS)).text

    assert "default-wait" in site.parts.floor.state.alarm_rules
    assert "Bring back" not in page


async def test_a_supervisor_changes_no_rule(site):
    ann = await site.signed_in("ann", Role.SUPERVISOR)

    assert (await ann.get("/admin/alarms")).status_code == 403
    assert (await ann.post("/admin/alarms", data=RULE, headers=OURS)).status_code == 403
    assert site.parts.floor.state.alarm_rules == {}


# Channels


CHANNEL = {"name": "Chat", "url": SECRET, "level": "2", "tells_cleared": "1"}


async def test_an_address_is_kept_and_never_shown(site, caplog):
    boss = await site.signed_in("boss", Role.ADMIN)
    page = (await boss.post("/admin/channels", data=CHANNEL, headers=OURS)).text
    [channel] = site.parts.channels.all()
    seen = [page, repr(channel), caplog.text, *map(repr, await site.audited())]

    assert (channel.url, channel.level, channel.tells_cleared) == (SECRET, 2, True)
    assert "json://••••" in page
    assert not any("s3cr3t" in text or "tok3n" in text for text in seen)


async def test_a_channel_is_tried_and_removed(site):
    boss = await site.signed_in("boss", Role.ADMIN)
    await boss.post("/admin/channels", data=CHANNEL, headers=OURS)
    fields = {"channel": site.parts.channels.all()[0].channel}
    tried = await boss.post("/admin/channels", data={**fields, "do": "test"}, headers=OURS)
    assert "The test message was sent" in tried.text
    assert site.parts.notifier.sent == [SECRET]

    site.parts.notifier.error = "It is closed."
    tried = await boss.post("/admin/channels", data={**fields, "do": "test"}, headers=OURS)
    assert (tried.status_code, "Chat: It is closed." in tried.text) == (422, True)
    await boss.post("/admin/channels", data={**fields, "do": "remove"}, headers=OURS)
    assert site.parts.channels.all() == []


@pytest.mark.parametrize(
    "wrong",
    [{"url": "nonsense"}, {"url": ""}, {"name": " "}, {"level": "3"}, {"do": "fly"}],
    ids=str,
)
async def test_a_channel_that_can_not_be_is_refused(site, wrong):
    boss = await site.signed_in("boss", Role.ADMIN)
    answer = await boss.post("/admin/channels", data={**CHANNEL, **wrong}, headers=OURS)

    assert answer.status_code == 422
    assert site.parts.channels.all() == []
    assert "s3cr3t" not in answer.text


async def test_channels_are_there_after_a_restart(site):
    await site.parts.channels.add("Chat", SECRET, 1, "999", False)
    again = await Channels.open(site.database, lambda: site.now)

    assert again.all() == site.parts.channels.all()
