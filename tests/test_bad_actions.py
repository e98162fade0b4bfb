"""Hostile clicks: the cases of `bad-inputs.json`, and what really reaches a PBX over HTTP."""

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from app.access.walls import Display
from app.actions import Actions
from app.domain.events import AgentNamed
from app.rights import Role
from tests.acting_site import OURS, ActingSite, open_site
from tests.bad_cases import run_here
from tests.bad_inputs import FILE
from tests.fake_pbx import FAULTS, FakePbx, running_pbx
from tests.pbx_client import KEY, client_of

pytestmark = pytest.mark.anyio

ROUTES = {"spy": "/actions/spy", "pause": "/actions/pause", "call": "/actions/call"}
CASES = [
    case
    for case in FILE["cases"]
    if case["group"] in {"ui-actions", "ui-roles", "ui-csrf"}
    and case.get("method") == "POST"
    and case["path"].strip("{}").removeprefix("route:") in ROUTES
]
run_here(
    (case["name"] for case in CASES), f"{__name__}.test_a_hostile_click_is_answered_as_it_must_be"
)
# Where the file speaks of a PBX in trouble, which of the fake one's troubles that is.
TROUBLE = {
    "pause-while-pbx-down": "reset",
    "pause-pbx-says-500-with-key-in-body": "server_error",
    "pause-pbx-html-login-page": "page",
    "pause-pbx-100MB-answer": "huge",
    "pause-pbx-never-ending-drip": "drip",
    "pause-pbx-200-but-error-body": "error_with_200",
    "pause-timeout-unknown-result": "slow",
}
STORY = (
    "101 on, 102 on, 200 on",
    "live-1 rings 101 in 999, live-1 answered 101 in 999",
    "own-call rings 200 in 999, own-call answered 200 in 999",
)


class Hostile:
    """A site whose PBX is a real client of a fake exchange."""

    def __init__(self, site: ActingSite, pbx: FakePbx) -> None:
        self.site = site
        self.pbx = pbx

    async def post(self, case: dict[str, Any]) -> Any:
        browser = await self.browser(case)
        path = ROUTES[case["path"].strip("{}").removeprefix("route:")]
        headers = {**FORM, **case["headers"]}
        answer = None
        for _ in range(case.get("repeat", 1)):
            answer = await browser.post(path, content=body_of(case["form"]), headers=headers)
        return answer

    async def browser(self, case: dict[str, Any]) -> Any:
        """Whoever the case is about has just signed in."""
        if case["as"] == "wall":
            wall = self.site.visitor()
            token = await self.site.access.walls.add(Display("Hall"), "Ann", "192.0.2.9")
            wall.cookies.set("__Host-wall", token)
            return wall
        extension = "" if case["name"] == "spy-own-extension-not-set" else "200"
        role = Role.SUPERVISOR if case["as"] == "supervisor" else Role.VIEWER
        return await self.site.signed_in("ann", role, extension=extension)


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def body_of(form: Any) -> bytes:
    if isinstance(form, list):
        return urlencode([(name, value) for name, value in form]).encode()
    if "$fields" in form:
        return "&".join(f"f{number}=1" for number in range(form["$fields"])).encode()
    return urlencode({name: made(value) for name, value in form.items()}).encode()


def made(value: Any) -> str:
    if isinstance(value, dict):
        text, times = value["$repeat"]
        return str(text) * int(times)
    return str(value)


@asynccontextmanager
async def hostile():
    async with open_site() as site, running_pbx() as pbx, client_of(pbx.url) as client:
        desk = replace(site.floor.actions.desk, pbx=client)
        site.floor.actions = site.parts.actions = Actions.over(desk)
        await site.floor.tell(*STORY)
        yield Hostile(site, pbx)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
async def test_a_hostile_click_is_answered_as_it_must_be(case):
    async with hostile() as board:
        if fault := TROUBLE.get(case["name"]):
            board.pbx.fault = FAULTS[fault]
        began = time.monotonic()
        before = await board.site.card("101")
        answer = await board.post(case)

        assert answer.status_code in case["expect"]["status"]
        await holds(board, case, answer, before)
        assert time.monotonic() - began < 6
        assert KEY not in answer.text


async def holds(board: Hostile, case: dict[str, Any], answer: Any, before: Any) -> None:
    """What the case says must hold afterwards."""
    must, newest = case["must_hold"], [*await board.site.audited(), None][0]
    if "no_pbx_call" in must:
        assert board.pbx.got == []
    if "state_unchanged" in must:
        assert await board.site.card("101") == before
    if "audit_denied" in must:
        assert newest is not None
        assert newest.kind == "denied"
    if "extension_from_account_only" in must:
        assert [body["src"] for _, body in board.pbx.got] in ([], ["200"])
    if "rate_limited" in must:
        assert int(answer.headers["retry-after"]) > 0
        assert len(board.pbx.got) <= 1
    if "clear_message" in must:
        assert "<p><b>" in answer.text
        assert "Traceback" not in answer.text
    if "shown_as_unknown_result" in must:
        assert 'data-kind="unknown"' in answer.text
        assert board.site.floor.doubted == ["101"]


# What a PBX hears, in the vendor's words, for each button and direction

WORDS = {
    ("inbound", "listen"): "whisper",
    ("inbound", "whisper"): "callee",
    ("inbound", "barge"): "threeway",
    ("inbound", "customer"): "caller",
    ("outbound", "listen"): "whisper",
    ("outbound", "whisper"): "caller",
    ("outbound", "barge"): "threeway",
    ("outbound", "customer"): "callee",
}


@pytest.mark.parametrize(("given", "word"), WORDS.items(), ids=lambda value: "-".join(value))
async def test_the_button_and_the_direction_make_the_vendors_mode(given, word):
    direction, mode = given
    async with hostile() as board:
        await board.site.floor.tell("102 dials out-1, 102 reaches out-1")
        ann = await board.site.supervisor()
        callid, extension = ("live-1", "101") if direction == "inbound" else ("out-1", "102")
        form = {"callid": callid, "mode": mode, "reason": "Training"}
        answer = await ann.post("/actions/spy", data=form, headers=OURS)

        assert answer.status_code == 200
        [(call, body)] = board.pbx.got
        assert (call, body["src"], body["dst"], body["mode"]) == ("spy", "200", extension, word)


@pytest.mark.parametrize("fault", ["slow", "drip", "reset", "server_error", "page", "huge"])
async def test_a_double_click_reaches_a_broken_pbx_once(fault):
    async with hostile() as board:
        board.pbx.fault = FAULTS[fault]
        ann = await board.site.supervisor()
        form = {"callid": "live-1", "mode": "listen", "reason": "Training"}
        clicks = [ann.post("/actions/spy", data=form, headers=OURS) for _ in range(2)]
        first, second = await asyncio.gather(*clicks)

        assert first.status_code == second.status_code >= 502
        assert first.text == second.text
        assert len(board.pbx.got) == 1


async def test_every_call_to_the_pbx_had_its_row_before():
    async with hostile() as board:
        await board.site.floor.tell(AgentNamed(extension="101", name="Bob"))
        ann = await board.site.supervisor()
        for path, form in (
            ("/actions/spy", {"callid": "live-1", "mode": "barge", "reason": "Complaint"}),
            ("/actions/pause", {"extension": "102"}),
            ("/actions/call", {"extension": "101"}),
        ):
            await ann.post(path, data=form, headers=OURS)
        intents = [row for row in await board.site.audited() if row.kind == "intent"]

        assert len(board.pbx.got) == len(intents) == 3
        assert await board.site.access.audit.verify() is None
