"""Webhooks as fast as they are answered, or at a steady rate: the sender of a measurement."""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

ANSWER_END = b"\r\n\r\n"


class Sender(asyncio.Protocol):
    """One keep-alive connection, one request under way."""

    def __init__(self) -> None:
        self._answered: asyncio.Future[bytes] | None = None
        self._buffer = bytearray()
        self.received = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        self._buffer += data
        end = self._buffer.find(ANSWER_END)
        if end < 0:
            return
        head = bytes(self._buffer[:end])
        if len(self._buffer) - end - len(ANSWER_END) < _length(head):
            return
        self._buffer.clear()
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(head[9:12])

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(b"000")

    @property
    def is_over(self) -> bool:
        """The server has closed the connection: it does so where nothing came for long."""
        return bool(self.transport.is_closing())

    async def send(self, request: bytes) -> bytes:
        """The three digits of the answer's status; 000 where the connection ended instead."""
        self._answered = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self._answered


def _length(head: bytes) -> int:
    at = head.lower().find(b"content-length:")
    return 0 if at < 0 else int(head[at + 15 :].split(b"\r\n", 1)[0])


class Refused(Exception):
    """A webhook was not answered with 200: the figures would be those of something else."""


class Load:
    """Connections to one port. `close_each` opens a new one for every request."""

    def __init__(
        self,
        port: int,
        connections: int,
        *,
        close_each: bool = False,
        note: Callable[[bytes], None] = lambda request: None,
    ) -> None:
        self._port = port
        self._note = note
        self._count = connections
        self._close_each = close_each
        # None: may still be opened. The server ends a connection on which nothing is ever sent.
        self._idle: asyncio.LifoQueue[Sender | None] = asyncio.LifoQueue()
        for _ in range(0 if close_each else connections):
            self._idle.put_nowait(None)
        self._all: list[Sender] = []
        self.latencies: list[float] = []

    @property
    def received(self) -> int:
        """Bytes of all answers."""
        return sum(sender.received for sender in self._all)

    async def open(self) -> None:
        """Open all connections now; otherwise each is opened when it is first needed."""
        for sender in [await self._ready() for _ in range(self._idle.qsize())]:
            self._idle.put_nowait(sender)

    def close(self) -> None:
        """Close them."""
        while not self._idle.empty():
            if sender := self._idle.get_nowait():
                sender.transport.close()

    async def flood(self, requests: Iterable[bytes]) -> int:
        """Send all of them, each connection one after the other; how many were sent."""
        pending = iter(requests)
        counts = await asyncio.gather(*(self._drain(pending) for _ in range(self._count)))
        return sum(counts)

    async def flood_in_order(self, groups: Iterable[list[bytes]]) -> None:
        """Send all groups side by side, each group's requests one after the other."""
        pending = iter(groups)

        async def drain() -> None:
            for group in pending:
                await self._send_all(group)

        await asyncio.gather(*(drain() for _ in range(self._count)))

    async def pace(self, requests: Iterator[list[bytes]], rate: float, seconds: float) -> int:
        """Open loop: groups at random moments, `rate` requests a second, whatever the answers.

        Returns how many were sent; raises what the first that went wrong did.
        """
        try:
            async with asyncio.TaskGroup() as sending:
                return await self._keep_pace(sending, requests, rate, seconds)
        except ExceptionGroup as several:
            raise several.exceptions[0] from None

    async def _keep_pace(
        self,
        sending: asyncio.TaskGroup,
        requests: Iterator[list[bytes]],
        rate: float,
        seconds: float,
    ) -> int:
        loop, chance = asyncio.get_running_loop(), random.Random(7)
        began, due, sent = loop.time(), 0.0, 0
        while due < seconds:
            await asyncio.sleep(max(0.0, began + due - loop.time()))
            group = next(requests)
            sending.create_task(self._send_all(group))
            sent += len(group)
            due += chance.expovariate(rate / len(group))
        return sent

    async def _send_all(self, group: list[bytes]) -> None:
        for request in group:
            await self._send_on_idle(request)

    async def _send_on_idle(self, request: bytes) -> None:
        sender = await self._ready()
        asked = time.monotonic()
        self._note(request)
        status = await sender.send(request)
        self.latencies.append(time.monotonic() - asked)
        self._idle.put_nowait(sender)
        _check(status)

    async def _drain(self, pending: Iterator[bytes]) -> int:
        sender = None if self._close_each else await self._ready()
        count = 0
        for request in pending:
            one = sender or await self._connect()
            _check(await one.send(request))
            if sender is None:
                one.transport.close()
            count += 1
        if sender is not None:
            self._idle.put_nowait(sender)
        return count

    async def _ready(self) -> Sender:
        sender = await self._idle.get()
        return await self._connect() if sender is None or sender.is_over else sender

    async def _connect(self) -> Sender:
        loop = asyncio.get_running_loop()
        _, sender = await loop.create_connection(Sender, "127.0.0.1", self._port)
        if not self._close_each:
            self._all.append(sender)
        return sender


def _check(status: bytes) -> None:
    if status not in (b"200", b"204"):
        raise Refused(f"A request was answered with {status.decode()}.")
