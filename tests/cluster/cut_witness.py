"""What is seen from within the machines: answers to webhooks, and what pages say of themselves."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from time import monotonic, time
from typing import NamedTuple

from tests.cluster.cut_network import Machine
from tests.cluster.cut_world import PORT, connected, sign_in
from tests.cluster.installation import Installation, Node, Tenant
from tests.cluster.load import Load
from tests.live_viewer import AS_BROWSERS, Viewer

# As `static/live.js` has it: older than that, a tick shows a board that is not live.
QUIET_S = 10.4
LOOK_S = 0.2
BEAT = re.compile(rb'id="beat".* data-now="(\d+)" data-tick="(\d+)"(?:.* data-unsaved="(\d+)")?')
LIVE, STALE, UNSAVED = "live", "not live", "nothing can be saved"


class Answer(NamedTuple):
    """To one webhook. Monotonic seconds; status 0: the connection ended."""

    sent: float
    came: float
    status: int


class Senders(Load):
    """The PBXs' webhooks to the node of one machine, sent from within it."""

    def __init__(self, installation: Installation, machine: Machine, rate: float, name: str):
        super().__init__(installation, rate, f"{name}{machine.name}")
        self.machine = machine
        self.answers: list[Answer] = []

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await connected(self.machine)

    async def _ask(self, site: Tenant, path: str) -> tuple[int, bytes]:
        sent = monotonic()
        status, body = await super()._ask(site, path)
        self.answers.append(Answer(sent, monotonic(), status))
        return status, body


@dataclass
class Page:
    """A board that somebody looks at in a machine. `said`: what its pill said, each time we looked.

    `oldest_live_s`: of all that it called live, the age of the oldest last tick.
    """

    machine: Machine
    site: Tenant
    cookie: str
    viewer: Viewer | None = None
    tick: int = 0
    unsaved: bool = False
    frame_at: float = 0.0
    longest_s: float = 0.0
    oldest_live_s: float = 0.0
    said: list[tuple[float, str]] = field(default_factory=list)

    async def stay(self) -> None:
        """Come back after each loss, until cancelled."""
        while True:
            self.tick = 0
            viewer = Viewer(PORT, self.cookie, host=f"{self.site.name}.localhost")
            viewer.headers, viewer.on_frame = AS_BROWSERS, self._hear
            try:
                found = self.machine.socket()
                loop = asyncio.get_running_loop()
                async with asyncio.timeout(15):
                    await loop.sock_connect(found, (self.machine.address, PORT))
                    await loop.create_connection(partial(_given, viewer), sock=found)
                    await viewer.opened
                self.viewer = viewer
                await viewer.gone
            except (OSError, TimeoutError):
                viewer.transport.abort()
            await asyncio.sleep(0.5)

    def look(self) -> None:
        """Note what the page says now."""
        self.said.append((monotonic(), self.word()))
        if self.said[-1][1] == LIVE:
            self.oldest_live_s = max(self.oldest_live_s, time() - self.tick / 1000)

    def word(self) -> str:
        """As the script of the page judges."""
        if self.viewer is None or not self.viewer.is_open or not self.tick:
            return STALE
        if self.unsaved:
            return UNSAVED
        return STALE if time() - self.tick / 1000 > QUIET_S else LIVE

    def _hear(self, html: bytes, at: float) -> None:
        if found := BEAT.search(html):
            self.tick, self.unsaved = int(found[2]), bool(found[3])
        if self.frame_at:
            self.longest_s = max(self.longest_s, at - self.frame_at)
        self.frame_at = at


@dataclass
class Owners:
    """Who owns which partition, by what the nodes write: (monotonic seconds, node, line)."""

    nodes: list[Node]
    seen: list[tuple[float, str, str]] = field(default_factory=list)
    _read: Counter[str] = field(default_factory=Counter)

    def look(self) -> None:
        for node in self.nodes:
            lines = node.output.splitlines()
            new = lines[self._read[node.name] :]
            self._read[node.name] = len(lines)
            told = [line for line in new if "owns “" in line or "no more." in line]
            self.seen += [(monotonic(), node.name, line) for line in told]

    def of(self, partition: int) -> str:
        """The newest owner's node."""
        return next(name for _, name, line in reversed(self.seen) if f"owns “p{partition}”" in line)

    def taken(self, partition: int, since: float) -> list[tuple[float, str]]:
        """Takings of it since then: when, by which node."""
        word = f"owns “p{partition}”"
        return [(at, name) for at, name, line in self.seen if at >= since and word in line]

    def ended(self, partition: int, node: str, since: float) -> float | None:
        """When that node noticed that its lease was over."""
        word = f".p{partition} no more."
        found = (
            at for at, name, line in self.seen if at >= since and name == node and word in line
        )
        return next(found, None)


@dataclass
class Witness:
    """All of that together, from `open` to `close`."""

    installation: Installation
    machines: list[Machine]
    pages: list[Page]
    owners: Owners
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @classmethod
    async def of(cls, installation: Installation, machines: list[Machine]) -> "Witness":
        pages = []
        for site in installation.sites:
            cookie = await sign_in(machines[0], site)
            pages += [Page(machine, site, cookie) for machine in machines]
        return cls(installation, machines, pages, Owners(installation.nodes))

    def open(self) -> None:
        self.tasks = [asyncio.create_task(page.stay()) for page in self.pages]
        self.tasks.append(asyncio.create_task(self._look()))

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for page in self.pages:
            if page.viewer is not None:
                page.viewer.transport.abort()

    def at(self, machines: Iterable[Machine]) -> list[Page]:
        wanted = list(machines)
        return [page for page in self.pages if page.machine in wanted]

    async def all_live(self, patience_s: float) -> bool:
        deadline = monotonic() + patience_s
        while not all(page.word() == LIVE for page in self.pages):
            if monotonic() > deadline:
                return False
            await asyncio.sleep(0.05)
        return True

    async def _look(self) -> None:
        while True:
            for page in self.pages:
                page.look()
            self.owners.look()
            await asyncio.sleep(LOOK_S)


def _given(viewer: Viewer) -> Viewer:
    return viewer


def statuses(answers: Iterable[Answer], since: float, until: float) -> Counter[int]:
    """Of what was sent in that time."""
    return Counter(one.status for one in answers if since <= one.sent < until)


def longest_gap_s(answers: Iterable[Answer], since: float, until: float) -> float:
    """The longest time in between without a webhook that was answered 200."""
    good = sorted(one.came for one in answers if one.status == 200 and since < one.came < until)
    edges = [since, *good, until]
    return max(later - earlier for earlier, later in pairwise(edges))


def words(pages: Iterable[Page], since: float, until: float) -> Counter[str]:
    """What the pages said in that time, and how often."""
    return Counter(word for page in pages for at, word in page.said if since <= at < until)


def last_said_s(pages: Iterable[Page], word: str, since: float, until: float) -> float:
    """How long after `since` one of them said that for the last time; 0: never."""
    found = [at - since for page in pages for at, told in page.said if told == word]
    return max((each for each in found if 0 <= each < until - since), default=0.0)
