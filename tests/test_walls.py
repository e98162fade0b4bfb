"""Wall displays: let in by code, shown in a list, off at once."""

import asyncio

import pytest

from app.access.pairing import ALPHABET, AT_ONCE, PER_ADDRESS, Pairings
from app.access.sessions import Ending
from app.access.walls import Display, WallProblem, Walls
from app.database import DatabaseUnavailable
from app.rights import Role
from tests.nodes import AMONG_NODES
from tests.waiting import until

pytestmark = pytest.mark.anyio

DAY_MS = 86_400_000


class Clock:
    now = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now

    def seconds(self) -> float:
        return self.now / 1000


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def walls(database, clock):
    made = Walls(database, clock)
    await made.load()
    return made


@pytest.fixture
def pairings(walls, clock):
    return Pairings(walls, clock.seconds)


async def test_a_screen_shows_a_code_and_is_let_in_once(pairings, walls):
    secret, pairing = pairings.begin("192.0.2.9")
    assert len(pairing.code) == 8
    assert set(pairing.code) <= set(ALPHABET)
    assert pairings.collect(secret) == ""

    await pairings.approve(
        f" {pairing.code[:4]} {pairing.code[4:].lower()} ", Display("Hall"), "Ann"
    )
    token = pairings.collect(secret)

    assert walls.find(token).display.name == "Hall"
    assert pairings.collect(secret) == ""


async def test_a_wall_reads_and_nothing_else(walls):
    token = await walls.add(Display("Hall", queues=frozenset({"999"})), "Ann", "192.0.2.9")
    principal = walls.principal(walls.find(token))

    assert principal.role is Role.WALL
    assert principal.rights == frozenset()
    assert principal.queues == {"999"}
    assert principal.masking == "last3"


async def test_two_clicks_let_one_screen_in(pairings, walls):
    _, pairing = pairings.begin("192.0.2.9")
    outcomes = await asyncio.gather(
        *(pairings.approve(pairing.code, Display("Hall"), "Ann") for _ in range(2)),
        return_exceptions=True,
    )

    assert sum(isinstance(outcome, WallProblem) for outcome in outcomes) == 1
    assert len(walls.all()) == 1


async def test_a_code_lives_ten_minutes(pairings, clock):
    secret, pairing = pairings.begin("192.0.2.9")
    clock.now += 600_001

    assert pairings.find(secret) is None
    with pytest.raises(WallProblem):
        await pairings.approve(pairing.code, Display("Hall"), "Ann")


@pytest.mark.parametrize("code", ["", "ABCD2345", "\u0661" * 8, "' OR 1=1 --"])
async def test_a_code_that_no_screen_shows_lets_nobody_in(pairings, walls, code):
    pairings.begin("192.0.2.9")
    with pytest.raises(WallProblem):
        await pairings.approve(code, Display("Hall"), "Ann")

    assert walls.all() == []


async def test_a_display_that_makes_no_sense_leaves_the_code_usable(pairings):
    _, pairing = pairings.begin("192.0.2.9")
    for display in (Display(""), Display("Hall", masking="none"), Display("Hall", layout="x")):
        with pytest.raises(WallProblem):
            await pairings.approve(pairing.code, display, "Ann")

    assert await pairings.approve(pairing.code, Display("Hall"), "Ann")


async def test_screens_that_wait_are_bounded(pairings):
    for _ in range(PER_ADDRESS):
        pairings.begin("192.0.2.9")
    with pytest.raises(WallProblem):
        pairings.begin("192.0.2.9")
    for number in range(AT_ONCE - PER_ADDRESS):
        pairings.begin(f"192.0.3.{number}")
    with pytest.raises(WallProblem):
        pairings.begin("192.0.4.1")


async def test_only_a_digest_of_the_token_is_stored(walls, database):
    token = await walls.add(Display("Hall"), "Ann", "192.0.2.9")

    assert token not in str(await database.read("SELECT * FROM wall"))
    assert walls.find("nobody") is None
    assert walls.find("a" * 8000) is None


async def test_a_wall_that_is_turned_off_hears_it_at_once(walls, database, clock):
    token = await walls.add(Display("Hall"), "Ann", "192.0.2.9")
    wall = walls.find(token)
    waiting = asyncio.create_task(walls.wait_ended(wall.key))
    await asyncio.sleep(0)
    await walls.remove(wall.wall_id)

    assert await asyncio.wait_for(waiting, 1) is Ending.SIGNED_OUT
    assert walls.find(token) is None
    again = Walls(database, clock)
    await again.load()
    assert again.all() == []
    with pytest.raises(WallProblem):
        await walls.remove(wall.wall_id)


async def test_a_wall_whose_end_could_not_be_written_is_deleted_by_the_sweep(
    walls, database, clock, monkeypatch
):
    token = await walls.add(Display("Hall"), "Ann", "192.0.2.9")
    with monkeypatch.context() as away:
        away.setattr(database, "write", no_disk)
        for attempt in (walls.remove(walls.find(token).wall_id), walls.sweep()):
            with pytest.raises(DatabaseUnavailable):
                await attempt
    await walls.refresh()
    assert walls.find(token) is None

    await walls.sweep()
    again = Walls(database, clock)
    await again.load()
    assert again.find(token) is None
    monkeypatch.setattr(database, "write", no_disk)
    await walls.sweep()


async def no_disk(job: object) -> None:
    raise DatabaseUnavailable("There is no disk.")


async def test_a_wall_that_shows_something_else_comes_back_with_it(walls, database, clock):
    token = await walls.add(Display("Hall"), "Ann", "192.0.2.9")
    wall = walls.find(token)
    waiting = asyncio.create_task(walls.wait_ended(wall.key))
    await asyncio.sleep(0)
    display = Display("Lobby", "queue", frozenset({"999"}), "vi", "hidden")
    await walls.change(wall.wall_id, display)

    assert await asyncio.wait_for(waiting, 1) is Ending.CHANGED
    again = Walls(database, clock)
    await again.load()
    assert [wall.display for wall in again.all()] == [display]


async def test_a_wall_stays_for_months_as_long_as_it_is_seen(walls, database, clock):
    token = await walls.add(Display("Hall"), "Ann", "192.0.2.9")
    for _ in range(4):
        clock.now += 100 * DAY_MS
        assert walls.find(token, "192.0.2.10")
        await walls.sweep()
    again = Walls(database, clock)
    await again.load()
    [kept] = again.all()
    assert kept.address == "192.0.2.10"
    assert again.by_key(kept.key) is kept
    assert again.by_key("of nobody") is None

    clock.now += 181 * DAY_MS
    assert again.by_key(kept.key) is None
    assert walls.find(token) is None
    await walls.sweep()
    assert walls.all() == []


@pytest.mark.parametrize("database", [AMONG_NODES], indirect=True)
async def test_nodes_tell_each_other_where_a_wall_was_seen_last(walls, database, clock):
    elsewhere = Walls(database, clock)
    await elsewhere.load()
    token = await walls.add(Display("Hall"), "Ann", "192.0.2.9")
    await until(lambda: elsewhere.find(token, "192.0.2.10"), 1)
    await elsewhere.refresh()
    assert elsewhere.all()[0].address == "192.0.2.10"

    clock.now += 300_000
    walls.find(token, "192.0.2.11")
    await walls.sweep()
    await until(lambda: elsewhere.all()[0].address == "192.0.2.11", 1)


@pytest.mark.parametrize(("rough_s", "every_ms"), [(0.0, 300_000), (600.0, 600_000)])
async def test_that_a_wall_is_seen_is_written_now_and_then(
    walls, database, clock, rough_s, every_ms
):
    database.rough_s = rough_s
    token, began = await walls.add(Display("Hall"), "Ann", "192.0.2.9"), clock.now
    for passed, written in ((every_ms - 1, 0), (1, every_ms)):
        clock.now += passed
        walls.find(token)
        await walls.sweep()
        assert await database.read("SELECT seen_at FROM wall") == [(began + written,)]


async def test_a_wall_that_nobody_touches_is_seen_while_its_board_is_open(walls, clock):
    token = await walls.add(Display("Hall"), "Ann", "192.0.2.9")
    wall = walls.find(token)
    with walls.open_board(wall.key), walls.open_board("of nobody"):
        assert walls.boards_of(wall.wall_id) == 1
        for _ in range(3):
            clock.now += 100 * DAY_MS
            await walls.sweep()
    assert walls.boards_of(wall.wall_id) == 0

    assert walls.find(token)
    clock.now += 181 * DAY_MS
    await walls.sweep()
    assert walls.all() == []
