"""Floods, each bounded in count so that every run of the tests has them; the board keeps working.

The whole counts are sent by `tests/chaos/floods.py`, to a process of its own. A processor shared
with other tests makes times say little here, so they are bounded loosely; what is counted is
counted exactly.
"""

import asyncio
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from app.domain.caps import USUAL
from app.domain.states import CallState
from app.pace import FRAMES_PER_S, SAVED_S
from app.web.admin.attention import concerns
from tests.bad_cases import runs, statuses
from tests.live_viewer import look
from tests.senders import Answers, flood, pace
from tests.served import Served, request_of
from tests.test_bad_inputs import MEBIBYTE, resident_bytes

pytestmark = pytest.mark.anyio

RING = "/callcenter/call_in"
STATUS = "/Agent/ChangeStatus"
# Nobody who calls, or looks, beside a flood may wait longer than this. Alone it is milliseconds.
PATIENCE_S = 2.0


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("floods"), PITWALL_MOST_AGENTS="60") as running:
        yield running


def ring(number: object, **more: str) -> bytes:
    return request_of(RING, callid=f"f{number}", phone="0906000111", event="RING", **more)


def refused(served: Served) -> int:
    counters = served.parts.journal.counters
    return counters["unstored"] + counters["refused"]


def warned_of(served: Served) -> set[object]:
    return {one.values["what"] for one in concerns(served.parts) if one.kind == "overflow"}


async def beside(served: Served, requests: list[bytes]) -> tuple[Answers, Answers]:
    """The flood, and what a PBX heard meanwhile that sends twenty a second of its own calls."""
    numbers = count()

    def own() -> Iterator[bytes]:
        while True:
            yield request_of(STATUS, extension="101", status="on" if next(numbers) % 2 else "pause")

    pbx = asyncio.create_task(pace(served.port, own(), 20, 2.0))
    answers = await flood(served.port, requests)
    return answers, await pbx


async def applied(served: Served) -> None:
    for _ in range(2000):
        if served.parts.projector.applied == served.parts.log.last_seq:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the board stays behind the log")


@runs("flood-5000-valid-in-5s", "flood-100000-distinct-callids")
async def test_more_calls_than_a_floor_can_have_are_stored_and_the_board_stops_growing(
    served: Served,
):
    before, memory, counted = served.parts.log.last_seq, resident_bytes(), refused(served)
    beyond = 500
    requests = [ring(number) for number in range(USUAL.calls + beyond)]
    answers, pbx = await beside(served, requests)
    await applied(served)
    stored = served.parts.log.last_seq - before
    live = [c for c in served.parts.floor.state.calls.values() if c.state is not CallState.ENDED]

    assert set(answers.statuses) <= set(statuses("flood-5000-valid-in-5s"))
    assert answers.sent + pbx.sent == stored_webhooks(served) + refused(served) - counted
    assert stored >= answers.statuses[200] + pbx.statuses[200]
    assert len(live) == USUAL.calls
    assert served.parts.floor.state.overflow["calls"] >= beyond
    assert "calls" in warned_of(served)
    assert resident_bytes() - memory < 64 * MEBIBYTE
    assert pbx.statuses == {200: pbx.sent}
    assert pbx.p99() < PATIENCE_S


def stored_webhooks(served: Served) -> int:
    return served.parts.floor.state.webhooks.accepted


@runs("flood-10000-distinct-extensions", "flood-10000-distinct-queues")
async def test_agents_and_queues_without_end_are_stored_and_the_board_stops_growing(
    served: Served,
):
    before = served.parts.floor.state.webhooks.accepted
    requests = [
        request_of(STATUS, extension=str(number), status="on") for number in range(1000, 1300)
    ]
    requests += [ring(0, queue=f"q{number}") for number in range(USUAL.queues + 100)]
    answers = await flood(served.port, requests)
    await applied(served)
    state = served.parts.floor.state

    assert answers.statuses == {200: len(requests)}
    assert state.webhooks.accepted - before == len(requests)
    assert len(state.agents) == 60
    assert len(state.queues) == USUAL.queues
    assert {"agents", "queues"} <= warned_of(served)


@runs("flood-wrong-token-1000-per-s")
async def test_guesses_of_the_token_are_counted_and_harm_nobody(served: Served):
    counted = served.parts.journal.counters["wrong_token"]
    rejected, memory = len(served.parts.journal.rejected), resident_bytes()
    requests = [request_of(STATUS, token="x" * 43, extension="1") for _ in range(2000)]
    answers, pbx = await beside(served, requests)

    assert set(answers.statuses) == set(statuses("flood-wrong-token-1000-per-s"))
    assert answers.statuses[404] <= 40
    assert served.parts.journal.counters["wrong_token"] - counted == len(requests)
    assert len(served.parts.journal.rejected) == rejected
    assert resident_bytes() - memory < 16 * MEBIBYTE
    assert pbx.statuses == {200: pbx.sent}
    assert pbx.p99() < PATIENCE_S


@runs("flood-rejected-list-bounded")
async def test_malformed_webhooks_without_end_fill_neither_list_nor_disk(served: Served):
    counted = served.parts.journal.counters["refused"]
    path = Path(served.parts.settings.log.removeprefix("sqlite:"))
    requests = [request_of(STATUS, extension="101", status=f"no{n}") for n in range(3000)]
    size = on_disk(path)
    answers, pbx = await beside(served, requests)
    await asyncio.to_thread(served.call, served.parts.journal.flush())
    sql = "SELECT count(*) FROM rejected_webhook"
    [(rows,)] = await asyncio.to_thread(served.call, served.parts.database.read(sql))

    assert set(answers.statuses) <= set(statuses("flood-rejected-list-bounded"))
    assert served.parts.journal.counters["refused"] - counted == len(requests)
    assert len(served.parts.journal.rejected) == rows == 1000
    assert on_disk(path) - size < 8 * MEBIBYTE
    assert pbx.statuses == {200: pbx.sent}


def on_disk(path: Path) -> int:
    return sum(one.stat().st_size for one in path.parent.glob(f"{path.name}*"))


@runs("status-flap-100-per-s")
async def test_a_phone_that_changes_a_hundred_times_a_second_is_shown_ten_times(served: Served):
    seconds, numbers = 3.0, count()

    def flapping() -> Iterator[bytes]:
        while True:
            word = "pause" if next(numbers) % 2 else "on"
            yield request_of(STATUS, extension="101", status=word)

    viewer = await look(served.port, await asyncio.to_thread(served.cookie))
    await viewer.whole
    shown, began = list[bytes](), time.monotonic()
    viewer.on_frame = lambda html, at: shown.append(html) if b'id="a-101"' in html else None
    answers = await pace(served.port, flapping(), 100, seconds)
    last = request_of(STATUS, extension="101", status="off")
    await flood(served.port, [last], lines=1)
    await applied(served)
    await asyncio.sleep(0.5)
    passed = time.monotonic() - began
    viewer.transport.abort()

    assert answers.statuses == {200: answers.sent}
    assert 2 <= len(shown) <= FRAMES_PER_S * (passed + SAVED_S)
    assert b'data-status="off"' in shown[-1]
