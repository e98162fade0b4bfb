"""Short versions of what `make chaos` does at length with peers that want too much.

How long things take is judged there: here a busy machine must not fail what is right.
"""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import protocol
from tests.bad_cases import runs
from tests.chaos.half_sent import half_sent
from tests.chaos.overload import overload
from tests.chaos.reconnects import reconnect
from tests.chaos.storm import storm
from tests.served import TOKEN, Served


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(protocol, "HEAD_S", 1.0)
    monkeypatch.setattr(protocol, "BODY_S", 1.0)
    with Served(tmp_path) as running:
        yield running


@pytest.mark.anyio
async def test_hundreds_of_half_sent_requests_end_and_harm_no_webhook(served: Served):
    ended = await half_sent(served.port, 240, 8, TOKEN)

    assert ended.still_open == 0
    assert ended.pbx.statuses == {200: ended.pbx.sent}


@runs("ws-2000-reconnect-at-once")
def test_boards_that_lose_their_connection_at_once_are_all_whole_again(
    tmp_path: Path, free_port: int
):
    seen = storm(tmp_path, free_port, 150)

    assert seen.back_s < 60
    assert seen.unanswered == 0


def test_boards_that_come_and_go_leave_nothing_behind(tmp_path: Path, free_port: int):
    seen = reconnect(tmp_path, free_port, 600)

    assert seen.left <= 10
    assert seen.lost == 0
    assert seen.late.resident - seen.early.resident < 8
    assert seen.pbx.statuses == {200: seen.pbx.sent}


def test_ten_times_too_much_is_stored_or_counted_and_passes(tmp_path: Path, free_port: int):
    seen = overload(tmp_path, free_port, [200, 2000], 1.5)

    assert seen.nothing_is_lost_silently
    assert seen.steps[1].sent == 3000
    assert seen.steps[1].stored > seen.steps[1].sent / 10
    assert seen.recovered_s < 30


def test_the_trial_of_half_sent_requests_can_fail():
    with socket.create_server(("127.0.0.1", 0), backlog=64) as nobody_answers:
        ended = asyncio.run(half_sent(nobody_answers.getsockname()[1], 12, 1))

    assert ended.still_open == 12
    assert ended.pbx.statuses[200] == 0
