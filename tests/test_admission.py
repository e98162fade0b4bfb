"""So many boards a second may open; the others are told to come again, before anything is made."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.admission import Admission
from tests.live_viewer import look
from tests.served import Served


def test_a_quarter_of_a_seconds_share_enters_at_once_and_no_more():
    door = Admission(20, lambda: 100.0)

    assert [door.admits() for _ in range(7)] == [True] * 5 + [False] * 2
    assert door.refused == 2


def test_a_moment_later_some_more_enter():
    now = [100.0]
    door = Admission(16, lambda: now[0])
    while door.admits():
        continue
    now[0] += 0.125

    assert [door.admits() for _ in range(3)] == [True, True, False]


def test_a_long_quiet_time_lets_no_more_in_at_once():
    now = [100.0]
    door = Admission(12, lambda: now[0])
    now[0] += 3600

    assert sum(door.admits() for _ in range(10)) == 3


def test_who_is_turned_away_takes_nobody_s_place():
    door = Admission(20, lambda: 100.0)
    for _ in range(100):
        assert door.admits()
        door.give_back()

    assert [door.admits() for _ in range(6)] == [True] * 5 + [False]


def test_somebody_enters_however_few_may():
    assert Admission(0.5, lambda: 100.0).admits()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path, boards_per_s=2.0) as running:
        yield running


@pytest.mark.anyio
async def test_a_board_too_many_hears_503_before_the_upgrade_and_webhooks_are_not_counted(
    served: Served,
):
    cookie = await asyncio.to_thread(served.cookie)
    viewers = [await look(served.port, cookie) for _ in range(5)]
    heard = await asyncio.to_thread(served.hook, "/Agent/ChangeStatus", extension="1", status="on")

    assert [viewer.status for viewer in viewers].count(101) >= 1
    assert viewers[-1].status == 503
    assert b"retry-after" in viewers[-1].head
    await asyncio.wait_for(viewers[-1].gone, 2)
    assert heard == 200
    await asyncio.sleep(1.0)
    again = await look(served.port, cookie)
    assert again.status == 101
    for viewer in (*viewers, again):
        viewer.transport.abort()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, 401),
        ({"path": "/nothing"}, 403),
        ({"headers": ("Content-Length: 3",)}, 400),
    ],
    ids=["not signed in", "no such page", "asks wrongly"],
)
async def test_who_is_turned_away_keeps_nobody_from_a_board(
    served: Served, asked: dict[str, Any], status: int
):
    cookie = await asyncio.to_thread(served.cookie)
    strangers = [await look(served.port, "", **asked) for _ in range(20)]
    viewer = await look(served.port, cookie)
    for each in (*strangers, viewer):
        each.transport.abort()

    assert {each.status for each in strangers} == {status}
    assert viewer.status == 101
