"""Webhooks from many connections at once: as fast as they are answered, or at a set rate.

At a set rate the next one leaves when it is due, answered or not (an open loop): only so does a
server that falls behind show it.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


@dataclass
class Answers:
    """Status → how many (0: the connection ended instead), and how long each took."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    refused_s: list[float] = field(default_factory=list)
    lasted_s: float = 0.0

    @property
    def sent(self) -> int:
        return self.statuses.total()

    def p99(self) -> float:
        """Seconds within which 99 of 100 were answered."""
        return quantile(self.seconds, 0.99)

    def note(self, status: int, seconds: float) -> None:
        self.statuses[status] += 1
        self.seconds.append(seconds)
        if status not in (0, 200):
            self.refused_s.append(seconds)


def quantile(values: list[float], share: float) -> float:
    """The value below which that share of the values lies; 0 of nothing."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0


class Line:
    """One keep-alive connection to the port, opened anew where the server ended it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, request: bytes) -> int:
        """The status of the answer; 0 when there was none."""
        # As every client does: a connection that was idle for too long was closed meanwhile.
        if self._streams is not None and self._streams[0].at_eof():
            self.close()
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0] or 0)
            await reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            return 0
        return int(head[9:12])

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


async def flood(port: int, requests: Iterable[bytes], lines: int = 16) -> Answers:
    """All of them, as fast as they are answered."""
    pending, answers = iter(requests), Answers()

    async def drain() -> None:
        line = Line(port)
        for request in pending:
            began = time.monotonic()
            answers.note(await line.send(request), time.monotonic() - began)
        line.close()

    await asyncio.gather(*(drain() for _ in range(lines)))
    return answers


async def pace(
    port: int,
    requests: Iterator[bytes],
    rate: float,
    seconds: float = math.inf,
    patience_s: float = 30,
) -> Answers:
    """`rate` a second for so long, each when it is due, over as many connections as that takes.

    It ends early with the last of the requests. What is not answered `patience_s` after the last
    was sent counts as cut off.
    """
    answers, idle, tasks = Answers(), list[Line](), set[asyncio.Task[None]]()

    async def send(request: bytes, due: float) -> None:
        line = idle.pop() if idle else Line(port)
        # From when it was due: what waits for a free processor waits all the same.
        status = 0
        try:
            status = await line.send(request)
        finally:
            answers.note(status, time.monotonic() - due)
            idle.append(line)

    began, number = time.monotonic(), 0
    while (due := began + number / rate) < began + seconds:
        if (early := due - time.monotonic()) > 0:
            await asyncio.sleep(early)
        request = next(requests, None)
        if request is None:
            break
        task = asyncio.create_task(send(request, due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        number += 1
    await _end(tasks, patience_s)
    answers.lasted_s = time.monotonic() - began
    for line in idle:
        line.close()
    return answers


async def _end(tasks: set["asyncio.Task[None]"], patience_s: float) -> None:
    if not tasks:
        return
    _, late = await asyncio.wait(tasks, timeout=patience_s)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
