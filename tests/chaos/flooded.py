"""A process that another one floods, an administrator who looks, and what is kept in the end."""

import asyncio
import contextlib
import html
import http.client
import json
import multiprocessing
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

from app.access import Access
from app.access.passwords import Passwords
from app.database import Database
from app.main import wall_clock
from app.rights import Role
from tests.chaos.beside import Beside
from tests.chaos.crowd import PASSWORD
from tests.chaos.site import API_TOKEN, free_port
from tests.running import Pitwall
from tests.senders import Answers, flood, pace

Makes = Callable[[int], bytes]
Job = Callable[..., Answers]


def numbered(port: int, makes: Makes, first: int, last: int) -> Answers:
    """A job: the requests of these numbers, as fast as they are answered."""
    return asyncio.run(flood(port, (makes(number) for number in range(first, last))))


def at_a_rate(port: int, makes: Makes, rate: float, seconds: float) -> Answers:
    """A job: `rate` requests a second for so long."""
    return asyncio.run(pace(port, (makes(number) for number in count()), rate, seconds))


class Flooded:
    """`beside` is who behaves while jobs run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cookie = asyncio.run(_administrator(folder))
        self.pitwall = Pitwall(free_port(), folder, PITWALL_API_TOKEN=API_TOKEN)
        self.beside = Beside(self.pitwall.port, self.cookie)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        self.pitwall.start()
        try:
            yield
        finally:
            self.pitwall.stop()

    def by(self, job: Job, makes: Makes, *words: float) -> Answers:
        """Let a process of its own do the job; it may take as long as it takes."""
        return asyncio.run(self._by(job, makes, *words))

    async def _by(self, job: Job, makes: Makes, *words: float) -> Answers:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as apart:
            loop = asyncio.get_running_loop()
            doing = loop.run_in_executor(apart, job, self.pitwall.port, makes, *words)
            await self.beside.during(doing)
            return await doing

    def page(self, path: str) -> str:
        """What the administrator, or a program with a token, reads there."""
        connection = http.client.HTTPConnection("127.0.0.1", self.pitwall.port, timeout=30)
        headers = {"Authorization": f"Bearer {API_TOKEN}", "Cookie": self.cookie}
        with contextlib.closing(connection):
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            assert answer.status == 200, f"{path} is answered by {answer.status}"
            return html.unescape(answer.read().decode())

    def floor_after(self, accepted: int) -> dict[str, Any]:
        """The floor once so many webhooks have reached it."""
        deadline = time.monotonic() + 30
        while True:
            floor: dict[str, Any] = json.loads(self.page("/api/v1/floor"))
            if floor["webhooks"]["accepted"] >= accepted:
                return floor
            assert time.monotonic() < deadline, "the board stays behind the log"
            time.sleep(0.2)

    def rows(self, sql: str) -> int:
        """What the query counts in the database; the process must have ended."""
        with contextlib.closing(sqlite3.connect(self.folder / "pitwall.db")) as database:
            return int(database.execute(sql).fetchone()[0] or 0)

    def on_disk(self) -> int:
        """Bytes of the database and what belongs to it."""
        return sum(each.stat().st_size for each in self.folder.glob("pitwall.db*"))


async def _administrator(folder: Path) -> str:
    """The cookie of one; the process must not run yet."""
    database = await Database.open(str(folder / "pitwall.db"))
    fast = Passwords(time_cost=1, memory_cost=8)
    access = await Access.open(database, wall_clock, passwords=fast)
    user = await access.accounts.create_user("boss", Role.ADMIN, PASSWORD)
    secret = await access.sessions.open(user.user_id, "127.0.0.1", "")
    await database.close()
    return f"sid={secret}"
