"""So many boards may be open at a time; one too many never costs the PBX an answer."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.web import board
from tests.live_viewer import look
from tests.served import Served
from tests.waiting import until

pytestmark = pytest.mark.anyio

MOST = 3


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(board, "MOST_VIEWERS", MOST)
    with Served(tmp_path) as running:
        yield running


async def test_a_viewer_too_many_hears_503_and_neither_boards_nor_webhooks_suffer(served: Served):
    cookie = await asyncio.to_thread(served.cookie)
    viewers = [await look(served.port, cookie) for _ in range(MOST)]
    for viewer in viewers:
        await viewer.whole
    too_many = [await look(served.port, cookie) for _ in range(MOST)]
    heard = await asyncio.to_thread(served.hook, "/Agent/ChangeStatus", extension="1", status="on")

    assert [viewer.status for viewer in viewers] == [101] * MOST
    assert [viewer.status for viewer in too_many] == [503] * MOST
    assert heard == 200
    assert all(viewer.is_open for viewer in viewers)
    for viewer in (*viewers, *too_many):
        viewer.transport.abort()


async def test_a_board_that_closes_makes_room_for_another(served: Served):
    cookie = await asyncio.to_thread(served.cookie)
    viewers = [await look(served.port, cookie) for _ in range(MOST)]
    viewers.pop().transport.abort()
    await until(lambda: served.parts.screens.viewers < MOST)
    viewers += [await look(served.port, cookie) for _ in range(2)]

    assert [viewer.status for viewer in viewers[-2:]] == [101, 503]
    for viewer in viewers:
        viewer.transport.abort()
