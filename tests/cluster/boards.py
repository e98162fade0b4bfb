"""Viewers of every site, who come back by themselves as the page does."""

import asyncio
import http.client
import random
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

from tests.cluster.installation import Installation, Node, Tenant
from tests.live_viewer import AS_BROWSERS, Viewer, look
from tests.running import PASSWORD


@dataclass
class Board:
    """One viewer of one site, to which something happens all the time.

    `seen_at`: when the newest frame came (monotonic seconds). `longest_s`: the longest time
    without a frame since that was asked.
    """

    installation: Installation
    site: Tenant
    cookie: str
    viewer: Viewer | None = None
    seen_at: float = 0.0
    longest_s: float = 0.0
    whole: asyncio.Event = field(default_factory=asyncio.Event)

    async def stay(self) -> None:
        """Be there, and come back after each loss, until cancelled."""
        attempt = 0
        while True:
            viewer = await self._look()
            if viewer is not None and viewer.status == 101:
                attempt, self.viewer = 0, viewer
                viewer.on_frame = self._note
                await viewer.gone
            attempt += 1
            await asyncio.sleep(random.uniform(0, min(4.0, 0.5 * 2**attempt)))

    def stood_still_s(self) -> float:
        """How long no frame came, at the longest; from now on it is measured anew."""
        found = max(self.longest_s, time.monotonic() - self.seen_at)
        self.longest_s = 0.0
        return found

    def close(self) -> None:
        if self.viewer is not None:
            self.viewer.transport.abort()

    async def _look(self) -> Viewer | None:
        try:
            async with asyncio.timeout(15):
                return await look(
                    self.installation.balancer.port,
                    self.cookie,
                    host=f"{self.site.name}.localhost",
                    headers=AS_BROWSERS,
                    on_frame=self._note,
                )
        except (OSError, TimeoutError):
            return None

    def _note(self, html: bytes, at: float) -> None:
        self.longest_s = max(self.longest_s, at - self.seen_at if self.seen_at else 0.0)
        self.seen_at = at
        self.whole.set()


@dataclass
class Boards:
    """Some at every site."""

    each: list[Board] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @classmethod
    def of(cls, installation: Installation, count: int) -> "Boards":
        """Sign in at every site; `count` boards of each."""
        boards = []
        for site in installation.sites:
            add_user(installation.nodes[0], site.name, "ann", "supervisor")
            cookie = sign_in(installation, site, "ann")
            boards += [Board(installation, site, cookie) for _ in range(count)]
        return cls(boards)

    def open(self) -> None:
        self.tasks = [asyncio.create_task(board.stay()) for board in self.each]

    async def wait_open(self, patience_s: float = 60) -> None:
        """Until all have had a frame."""
        async with asyncio.timeout(patience_s):
            for board in self.each:
                await board.whole.wait()

    def stood_still_s(self) -> float:
        """The longest time for which one of them had no frame, since this was last asked."""
        return max(board.stood_still_s() for board in self.each)

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for board in self.each:
            board.close()


def add_user(node: Node, site: str, name: str, role: str) -> None:
    """With `PASSWORD`, by the administrator's command."""
    words = ("--site", site, "user", "add", name, "--role", role, "--extension", "910")
    node.command(*words, standard_input=f"{PASSWORD}\n")


def sign_in(installation: Installation, site: Tenant, name: str) -> str:
    """Through the balancer; the session's cookie."""
    connection = http.client.HTTPConnection("127.0.0.1", installation.balancer.port, timeout=30)
    body = urlencode({"username": name, "password": PASSWORD})
    headers = {
        "Host": site.host(installation.balancer.port),
        "Origin": installation.url(site),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    connection.request("POST", "/login", body, headers)
    answer = connection.getresponse()
    told = answer.headers.get_all("Set-Cookie") or []
    page = answer.read().decode(errors="replace")
    connection.close()
    assert told, f"{answer.status}: {page[:500]}"
    return told[0].partition(";")[0]
