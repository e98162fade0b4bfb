"""CPU and bytes of a viewer's minute: ours beside two other designs, on ten queues of a hundred.

QPanel's page asks for everything each five seconds; OpDesk sends everything to everybody twice a
second. Ours sends what changed. What a design costs without viewers is taken off.
"""

import asyncio
import time
from dataclasses import dataclass

import msgspec

from bench.ingest import CONNECTIONS, serving
from bench.load import Load
from bench.processes import free_port, running
from bench.viewers import Plan

AGENTS = 1000
VIEWERS = 50
# Some 1,000 agents' webhooks: a busy floor says about this much.
RATE = 20.0
POLL_S = 5.0


@dataclass(frozen=True)
class Minute:
    """One viewer's minute: ms of the server's CPU, and KiB on the wire."""

    cpu_ms: float
    wire_kib: float


async def ours(seconds: float) -> Minute:
    """The whole of Pitwall, with its webhooks, minus the same without viewers."""
    async with serving("whole", AGENTS, VIEWERS) as served:
        load = Load(served.port, CONNECTIONS)
        await load.open()
        idle_ns = served.process.cpu_ns()
        await load.pace(served.moments(RATE), RATE, seconds)
        idle_ns = served.process.cpu_ns() - idle_ns
        plan = Plan(served.port, VIEWERS, deflate=True, cookies=served.ready["cookies"])
        words = msgspec.json.encode(plan).decode()
        async with running("bench.viewers", words, core=1) as (watching, _):
            await asyncio.sleep(1)
            await watching.ask()
            began = served.process.cpu_ns()
            await load.pace(served.moments(RATE), RATE, seconds)
            spent = served.process.cpu_ns() - began - idle_ns
            seen = await watching.ask()
        load.close()
    return _minute(spent, seen["wire_bytes"], seconds)


async def whole_state(seconds: float) -> Minute:
    """OpDesk's design."""
    port = free_port()
    async with running("bench.peer_server", "whole", port, AGENTS, core=0) as (server, _):
        words = msgspec.json.encode(Plan(port, VIEWERS, deflate=True, acknowledges=False)).decode()
        async with running("bench.viewers", words, core=1) as (watching, _):
            await watching.ask()
            began = server.cpu_ns()
            await asyncio.sleep(seconds)
            spent = server.cpu_ns() - began
            seen = await watching.ask()
    return _minute(spent, seen["wire_bytes"], seconds)


async def polling(seconds: float) -> Minute:
    """QPanel's design. The viewers' polls are spread over the five seconds."""
    port = free_port()
    async with running("bench.peer_server", "poll", port, AGENTS, core=0) as (server, _):
        request = b"GET /poll HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        load = Load(port, VIEWERS)
        await load.open()
        began, ended = server.cpu_ns(), time.monotonic() + seconds
        polls = 0
        while time.monotonic() < ended:
            polls += await load.flood([request])
            await asyncio.sleep(POLL_S / VIEWERS)
        spent = server.cpu_ns() - began
        load.close()
    per_poll = _minute(spent, load.received, seconds)
    # Sending takes its time too: count what so many viewers would have asked for.
    share = VIEWERS * seconds / POLL_S / max(1, polls)
    return Minute(per_poll.cpu_ms * share, per_poll.wire_kib * share)


def _minute(cpu_ns: float, wire_bytes: float, seconds: float) -> Minute:
    share = 60 / seconds / VIEWERS
    return Minute(cpu_ns / 1e6 * share, wire_bytes / 1024 * share)
