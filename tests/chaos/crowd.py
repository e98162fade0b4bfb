"""Hundreds of signed-in viewers for one process: their accounts, and who of them has a board."""

import asyncio
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

from app.access import Access
from app.access.passwords import Passwords
from app.database import Database
from app.main import wall_clock
from app.rights import Role
from tests.live_viewer import AS_BROWSERS, Viewer, look, reset
from tests.running import Pitwall

BOARDS_EACH = 10
PASSWORD = "seven grey herons"


def sign_in(folder: Path, viewers: int) -> list[str]:
    """Cookies for so many boards; the process must not run yet."""
    return asyncio.run(_sign_in(folder, -(-viewers // BOARDS_EACH)))


async def _sign_in(folder: Path, people: int) -> list[str]:
    database = await Database.open(str(folder / "pitwall.db"))
    fast = Passwords(time_cost=1, memory_cost=8)
    access = await Access.open(database, wall_clock, passwords=fast)
    cookies = []
    for number in range(people):
        user = await access.accounts.create_user(f"viewer{number}", Role.SUPERVISOR, PASSWORD)
        cookies.append(f"sid={await access.sessions.open(user.user_id, '127.0.0.1', '')}")
    await database.close()
    return cookies


@dataclass
class Crowd:
    """Boards of one process. `delays` are seconds from a frame's first arrival to each other's."""

    port: int
    cookies: list[str]
    viewers: list[Viewer] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    refused: int = 0
    _first_seen: dict[bytes, float] = field(default_factory=dict)

    async def open(self, count: int, at_once: int = 50) -> None:
        """So many more, some at a time; all of them have a whole board."""
        for first in range(0, count, at_once):
            batch = [self.enter(len(self.viewers) + n) for n in range(min(at_once, count - first))]
            self.viewers += await asyncio.gather(*batch)

    async def enter(self, number: int, since: float = 0.0) -> Viewer:
        """One board, tried again with growing and random delays as the page does, until whole."""
        cookie, attempt = self.cookies[number // BOARDS_EACH % len(self.cookies)], 0
        while True:
            try:
                viewer = await look(self.port, cookie, headers=AS_BROWSERS)
            except OSError:
                viewer = None
            if viewer is not None and viewer.status == 101:
                await viewer.whole
                if viewer.is_open:
                    viewer.on_frame = lambda html, at, seen=viewer: self._note(seen, at)
                    return viewer
            self.refused += 1
            attempt += 1
            await asyncio.sleep(random.uniform(0, min(64, 2.0**attempt)))

    def drop(self) -> None:
        """All of them lose their connection at the same moment."""
        for viewer in self.viewers:
            reset(viewer)
        self.viewers = []

    def close(self) -> None:
        for viewer in self.viewers:
            viewer.transport.abort()

    def _note(self, viewer: Viewer, at: float) -> None:
        first = self._first_seen.setdefault(viewer.version, at)
        self.delays.append(at - first)
        if len(self._first_seen) > 1000:
            self._first_seen = dict(list(self._first_seen.items())[-100:])


def resident_mebibytes(pitwall: Pitwall) -> float:
    """Of the process."""
    status = Path(f"/proc/{pitwall.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def descriptors(pitwall: Pitwall) -> int:
    """How many files and sockets the process has open."""
    return len(list(Path(f"/proc/{pitwall.pid}/fd").iterdir()))


async def settles(value: "object", target: int, seconds: float) -> float:
    """Seconds until `value()` is `target` or less. Fails when that takes longer."""
    assert callable(value)
    began = time.monotonic()
    while value() > target:
        assert time.monotonic() - began < seconds, f"{value()} instead of {target}"
        await asyncio.sleep(0.1)
    return time.monotonic() - began
