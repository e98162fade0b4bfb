"""When a site is opened, closed, tried again and followed by its file."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from app.ownership import Ownership, Sole
from app.settings import Settings
from app.sites import Sites, keeper
from app.sites.keeper import Keeper
from app.web.parts import Parts
from tests.neighbours import written


class Owned:
    """An ownership that comes and goes as the test says."""

    epoch = 1

    def __init__(self) -> None:
        self.held, self.lost = asyncio.Event(), asyncio.Event()

    @property
    def is_held(self) -> bool:
        return self.held.is_set()

    async def wait_held(self) -> None:
        await self.held.wait()

    async def wait_lost(self) -> None:
        await self.lost.wait()

    def take(self) -> None:
        self.lost.clear()
        self.held.set()

    def lose(self) -> None:
        self.held.clear()
        self.lost.set()


class Building:
    """Opens a site that is nothing; `refusals` are raised first, one at each attempt."""

    def __init__(self, *refusals: Exception) -> None:
        self.refusals = list(refusals)
        self.opened = self.closed = 0
        self.die: Callable[[str], None] = lambda loop: None

    @asynccontextmanager
    async def opening(self, settings: Settings, die: Callable[[str], None]) -> AsyncIterator[Parts]:
        if self.refusals:
            raise self.refusals.pop(0)
        self.opened += 1
        self.die = die
        try:
            yield cast(Parts, SimpleNamespace(settings=settings))
        finally:
            self.closed += 1


SETTINGS = Settings.from_env({"PITWALL_PUBLIC_URL": "https://acme.example.test"})


@asynccontextmanager
async def kept(
    building: Building, ownership: Ownership, idle_s: float = 600.0
) -> AsyncIterator[Keeper]:
    made = Keeper(SETTINGS, building.opening, ownership, idle_s)
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def comes(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - it is not told when
            await asyncio.sleep(0.005)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "FIRST_PAUSE_S", 0.02)


@pytest.mark.anyio
async def test_a_site_of_the_only_process_is_open_from_the_start() -> None:
    building = Building()
    async with kept(building, Sole()) as acme:
        await acme.settled(5)
        assert acme.parts is not None
    assert (building.opened, building.closed) == (1, 1)


@pytest.mark.anyio
async def test_a_site_that_others_own_is_opened_for_whoever_comes() -> None:
    building = Building()
    async with kept(building, Owned()) as acme:
        await asyncio.sleep(0.02)
        assert building.opened == 0
        visits = await asyncio.gather(*(acme.for_a_visit() for _ in range(20)))
        assert None not in visits
    assert building.opened == 1


@pytest.mark.anyio
async def test_a_site_that_nobody_visits_is_closed_and_opened_again() -> None:
    building = Building()
    async with kept(building, Owned(), idle_s=0.05) as acme:
        for _ in range(3):
            assert await acme.for_a_visit() is not None
            await comes(lambda: building.closed == building.opened)
            assert acme.failure == ""
    assert building.opened == 3


@pytest.mark.anyio
async def test_a_site_is_not_closed_while_somebody_looks_at_it() -> None:
    building = Building()
    async with kept(building, Owned(), idle_s=0.02) as acme:
        await acme.for_a_visit()
        viewer = asyncio.create_task(asyncio.sleep(60))
        acme.visits.add(cast("asyncio.Task[object]", viewer))
        await asyncio.sleep(0.1)
        assert building.closed == 0
        acme.visits.clear()
        await comes(lambda: building.closed == 1)
        viewer.cancel()


@pytest.mark.anyio
async def test_a_site_is_open_while_it_is_owned() -> None:
    building, owned = Building(), Owned()
    async with kept(building, owned, idle_s=0.02) as acme:
        owned.take()
        await comes(lambda: acme.parts is not None)
        await asyncio.sleep(0.1)
        assert building.closed == 0
        owned.lose()
        await comes(lambda: building.closed == 1)


@pytest.mark.anyio
@pytest.mark.usefixtures("quick")
async def test_a_site_that_was_refused_is_tried_again() -> None:
    building = Building(RuntimeError("broken"), OSError("still"))
    async with kept(building, Sole()) as acme:
        await acme.settled(5)
        assert acme.failure == "broken"
        assert await acme.for_a_visit() is None
        await comes(lambda: acme.parts is not None)
        assert acme.failure == ""


@pytest.mark.anyio
@pytest.mark.usefixtures("quick")
async def test_a_site_that_failed_for_a_visitor_rests_until_the_next() -> None:
    building = Building(RuntimeError("broken"))
    async with kept(building, Owned()) as acme:
        assert await acme.for_a_visit() is None
        await asyncio.sleep(0.1)
        assert building.opened == 0
        assert await acme.for_a_visit() is None
        await comes(lambda: acme.parts is not None)


@pytest.mark.anyio
@pytest.mark.usefixtures("quick")
async def test_whoever_is_inside_when_a_site_dies_is_sent_away() -> None:
    building = Building()
    async with kept(building, Sole()) as acme:
        await acme.settled(5)
        inside = asyncio.create_task(asyncio.sleep(60))
        acme.visits.add(cast("asyncio.Task[object]", inside))
        building.die("projector")
        assert acme.parts is None
        await asyncio.gather(inside, return_exceptions=True)
        assert inside.cancelled()
        acme.visits.clear()
        await comes(lambda: acme.parts is not None)
    assert building.opened == building.closed == 2


# The folder


@asynccontextmanager
async def following(folder: Path) -> AsyncIterator[tuple[Sites, Building]]:
    installation = Settings.from_env({"PITWALL_SITES": str(folder), "PITWALL_LOG": "memory:"})
    building = Building()
    sites = Sites(installation, look_s=0.01)
    async with sites.running(lambda settings: Keeper(settings, building.opening, Sole())):
        yield sites, building


@pytest.mark.anyio
async def test_sites_come_change_and_go_with_their_files(tmp_path: Path) -> None:
    written(tmp_path, "acme", "acme.example.test")
    async with following(tmp_path) as (sites, building):
        acme = sites.at("acme.example.test")
        written(tmp_path, "beta", "beta.example.test")
        await comes(lambda: sites.at("beta.example.test") is not None)
        written(tmp_path, "beta", "bravo.example.test")
        await comes(lambda: sites.at("bravo.example.test") is not None)
        assert sites.at("beta.example.test") is None
        (tmp_path / "beta.env").unlink()
        await comes(lambda: sites.at("bravo.example.test") is None)
        await comes(lambda: building.closed == 2)
        assert sites.at("acme.example.test") is acme
    assert building.closed == building.opened == 3


@pytest.mark.anyio
async def test_a_mistake_in_a_file_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    written(tmp_path, "acme", "acme.example.test")
    async with following(tmp_path) as (sites, building):
        (tmp_path / "acme.env").write_text("nonsense")
        await comes(lambda: "The sites stay as they are" in caplog.text)
        assert sites.at("acme.example.test") is not None
        assert (building.opened, building.closed) == (1, 0)
    assert "acme.env, line 1: VARIABLE=value is expected" in caplog.text


# A real process
