"""The PBXs of all sites: webhooks through the balancer, and what was acknowledged of them."""

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlencode

from tests.cluster.installation import Installation, Tenant

QUEUES = ("sales", "support")
AGENTS = 40
# Calls of a site that have begun and not ended.
UNDER_WAY = 20


class Acknowledged(NamedTuple):
    """A webhook that was answered 200: which event of which call, and its place in the log."""

    callid: str
    event: str
    seq: int


@dataclass
class Calls:
    """The calls of one site, one webhook after another: a ring, and some rings later its end."""

    site: Tenant
    name: str
    number: int = 0
    under_way: list[str] = field(default_factory=list)

    def next(self) -> tuple[str, str, str]:
        """The callid, the event and the path of the next webhook."""
        if len(self.under_way) >= UNDER_WAY:
            callid, event = self.under_way.pop(0), "HANGUP"
            told = {"callid": callid, "event": event}
            return callid, event, self.site.hook(f"/callcenter/hangup?{urlencode(told)}")
        self.number += 1
        callid = f"{self.name}-{self.site.name}-{self.number}"
        self.under_way.append(callid)
        told = {
            "callid": callid,
            "event": "RING",
            "queue": QUEUES[self.number % 2],
            "extension": str(100 + self.number % AGENTS),
            "phone": f"09{self.number:08}",
        }
        return callid, "RING", self.site.hook(f"/callcenter/call_in?{urlencode(told)}")


class Load:
    """`rate` webhooks a second in all, to every site in turn, each when it is due (open loop).

    A PBX that got no 200 does not send again: only what was acknowledged must be there.
    """

    def __init__(self, installation: Installation, rate: float, name: str = "c") -> None:
        self.acknowledged: dict[str, list[Acknowledged]] = {s.name: [] for s in installation.sites}
        self.acknowledged_at: dict[str, float] = {}
        self.statuses: Counter[int] = Counter()
        self.slowest_s = 0.0
        self._port = installation.balancer.port
        self._rate = rate
        self._calls = [Calls(site, name) for site in installation.sites]
        self._sending: set[asyncio.Task[None]] = set()
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def run(self) -> None:
        """Until cancelled."""
        began, number = time.monotonic(), 0
        while True:
            due = began + number / self._rate
            if (early := due - time.monotonic()) > 0:
                await asyncio.sleep(early)
            task = asyncio.create_task(self._send(self._calls[number % len(self._calls)], due))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
            number += 1

    async def finish(self) -> None:
        """Wait for the answers that are still to come."""
        if self._sending:
            await asyncio.wait(self._sending, timeout=40)
        for _, writer in self._idle:
            writer.close()

    async def _send(self, calls: Calls, due: float) -> None:
        callid, event, path = calls.next()
        status, body = await self._ask(calls.site, path)
        self.statuses[status] += 1
        self.slowest_s = max(self.slowest_s, time.monotonic() - due)
        if status == 200:
            name = calls.site.name
            seq = int(json.loads(body)["seq"])
            self.acknowledged[name].append(Acknowledged(callid, event, seq))
            self.acknowledged_at[name] = time.monotonic()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self._port)

    async def _ask(self, site: Tenant, path: str) -> tuple[int, bytes]:
        """The status and the body; 0 for a connection that ended."""
        request = f"GET {path} HTTP/1.1\r\nHost: {site.host(self._port)}\r\n\r\n".encode()
        streams = self._idle.pop() if self._idle else None
        try:
            if streams is None:
                streams = await self._connected()
            reader, writer = streams
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0] or 0)
            body = await reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError):
            if streams is not None:
                streams[1].transport.abort()
            return 0, b""
        if b"connection: close" in head.lower():
            streams[1].close()
        else:
            self._idle.append(streams)
        return int(head[9:12]), body
