"""Hundreds of signed-in viewers for one process: their accounts, and who of them has a board."""

import asyncio
import contextlib
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
from tests.senders import Line

BOARDS_EACH = 10
PASSWORD = "seven grey herons"
# As in static/live.js.
KICK_AFTER_S = 12.0
SPREAD_S, MOST_SPREAD_S = 1.0, 64.0


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
    """Boards of one process. `delays` are seconds from a frame's first arrival to each other's.

    `refused` are attempts that brought no board, `asked` what their pages then asked: whether it
    is because they are signed out.
    """

    port: int
    cookies: list[str]
    viewers: list[Viewer] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    refused: int = 0
    asked: int = 0
    _lines: set[Line] = field(default_factory=set)
    _first_seen: dict[bytes, float] = field(default_factory=dict)

    async def open(self, count: int, at_once: int = 50) -> None:
        """So many more, some at a time; all of them have a whole board."""
        for first in range(0, count, at_once):
            batch = [self.enter(len(self.viewers) + n) for n in range(min(at_once, count - first))]
            self.viewers += await asyncio.gather(*batch)

    async def enter(self, number: int, tries: int = 0) -> Viewer:
        """One board, by the page's own rule, until it is whole; `tries` were made already."""
        cookie, line = self.cookies[number // BOARDS_EACH % len(self.cookies)], Line(self.port)
        while True:
            viewer = await self._attempt(cookie)
            if viewer is not None:
                viewer.on_frame = lambda html, at, seen=viewer: self._note(seen, at)
                return viewer
            self.refused += 1
            # A browser keeps the connection that it asked on.
            self._lines.add(line)
            asking = asyncio.create_task(self._ask(line, cookie))
            await asyncio.sleep(spread_s(tries))
            await asking
            tries += 1

    async def come_back(self, number: int) -> Viewer:
        """The same for a board that has just lost its connection."""
        await asyncio.sleep(spread_s(0))
        return await self.enter(number, 1)

    async def _attempt(self, cookie: str) -> Viewer | None:
        viewer = None
        try:
            async with asyncio.timeout(KICK_AFTER_S):
                viewer = await look(self.port, cookie, headers=AS_BROWSERS)
                if viewer.status == 101:
                    await viewer.whole
        except (OSError, TimeoutError):
            if viewer is not None:
                viewer.transport.abort()
            return None
        return viewer if viewer.is_open else None

    async def _ask(self, line: Line, cookie: str) -> None:
        self.asked += 1
        request = f"GET /alive HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n"
        assert await line.send(request.encode()) != 401, "a page is told that it is signed out"

    def drop(self) -> None:
        """All of them lose their connection at the same moment."""
        for viewer in self.viewers:
            reset(viewer)
        self.viewers = []

    def close(self) -> None:
        for viewer in self.viewers:
            viewer.transport.abort()
        for line in self._lines:
            line.close()

    def _note(self, viewer: Viewer, at: float) -> None:
        first = self._first_seen.setdefault(viewer.version, at)
        self.delays.append(at - first)
        if len(self._first_seen) > 1000:
            self._first_seen = dict(list(self._first_seen.items())[-100:])


def spread_s(tries: int) -> float:
    """How long a page waits that has tried so often since it last had data."""
    return random.uniform(0, min(MOST_SPREAD_S, SPREAD_S * 2.0**tries))


def resident_mebibytes(pitwall: Pitwall) -> float:
    """Of the process."""
    return _mebibytes(pitwall, "VmRSS")


def peak_mebibytes(pitwall: Pitwall) -> float:
    """The most it ever had at one moment, or has had since `forget_peak`."""
    return _mebibytes(pitwall, "VmHWM")


def forget_peak(pitwall: Pitwall) -> None:
    Path(f"/proc/{pitwall.pid}/clear_refs").write_text("5")


def _mebibytes(pitwall: Pitwall, name: str) -> float:
    status = Path(f"/proc/{pitwall.pid}/status").read_text()
    return int(status.partition(f"{name}:")[2].split()[0]) / 1024


def descriptors(pitwall: Pitwall) -> int:
    """How many files and sockets the process has open."""
    return len(list(Path(f"/proc/{pitwall.pid}/fd").iterdir()))


def sockets(pitwall: Pitwall) -> int:
    """How many of these are connections, and whatever else the kernel calls a socket."""
    found = 0
    for entry in Path(f"/proc/{pitwall.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found += entry.readlink().name.startswith("socket:")
    return found


async def settles(value: "object", target: int, seconds: float) -> float:
    """Seconds until `value()` is `target` or less. Fails when that takes longer."""
    assert callable(value)
    began = time.monotonic()
    while value() > target:
        assert time.monotonic() - began < seconds, f"{value()} instead of {target}"
        await asyncio.sleep(0.1)
    return time.monotonic() - began
