"""What a frame costs for each viewer: ours beside websockets.broadcast(), plain and compressed."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import msgspec

from bench.measure import take_turns
from bench.processes import Process, free_port, running
from bench.viewers import Plan

FRAMES_PER_S = 12_000
# A viewer that acknowledges nothing is closed after 20 s and cut off 5 s later.
GONE_WITHIN_S = 33.0
# (name, way of the server, compressed, acknowledged): a page of ours acknowledges each frame.
WAYS = (
    ("ours", "line", False, True),
    ("ours, compressed once", "line", True, True),
    ("send_text for each", "send_text", False, True),
    ("broadcast()", "broadcast", False, False),
    ("broadcast(), acknowledged", "broadcast", False, True),
    ("broadcast(), compressed", "broadcast_deflate", True, False),
)


@dataclass
class Watched:
    """One server and its viewers."""

    server: Process
    viewers: Process
    count: int
    bytes_per_frame: float = 0.0
    kib_per_viewer: float = 0.0
    short: bool = False

    async def cost_us(self, size: int, seconds: float) -> float:
        """CPU microseconds of the server for each frame that a viewer received."""
        every_s = max(0.02, self.count / FRAMES_PER_S)
        await self.server.ask(size=size, every_s=every_s)
        await asyncio.sleep(0.3)
        await self.viewers.ask()
        began = self.server.cpu_ns()
        await asyncio.sleep(max(seconds, 4 * every_s))
        spent = self.server.cpu_ns() - began
        seen = await self.viewers.ask()
        await self.server.ask(size=size, every_s=0)
        await asyncio.sleep(0.1)
        if not seen["frames"]:
            raise RuntimeError("No viewer received anything.")
        self.bytes_per_frame = seen["wire_bytes"] / seen["frames"]
        self.short = seen["open"] < self.count
        return float(spent / seen["frames"] / 1000)


async def watched(stack: contextlib.AsyncExitStack, way: str, plan: Plan) -> Watched:
    """Start a server and this many viewers of it."""
    server, _ = await stack.enter_async_context(
        running("bench.fanout_server", way, plan.port, core=0)
    )
    before = server.memory_kib()
    words = msgspec.json.encode(plan).decode()
    viewers, ready = await stack.enter_async_context(running("bench.viewers", words, core=1))
    if ready["open"] < plan.count:
        raise RuntimeError(f"Only {ready['open']} of {plan.count} viewers were let in.")
    await asyncio.sleep(0.5)
    found = Watched(server, viewers, plan.count)
    found.kib_per_viewer = (server.memory_kib() - before) / plan.count
    return found


@dataclass(frozen=True)
class Cost:
    """What one way costs: µs of CPU and bytes per viewer and frame, KiB of memory per viewer."""

    cpu_us: float
    wire_bytes: float
    memory_kib: float


async def compare(
    count: int, sizes: tuple[int, ...], rounds: int, seconds: float
) -> dict[int, dict[str, Cost]]:
    """{size of a frame: {way: its cost}} for so many viewers."""
    found: dict[int, dict[str, Cost]] = {}
    async with contextlib.AsyncExitStack() as stack:
        all_ways = {}
        for name, way, deflate, acknowledges in WAYS:
            plan = Plan(free_port(), count, deflate=deflate, acknowledges=acknowledges)
            all_ways[name] = await watched(stack, way, plan)
        for size in sizes:
            variants: dict[str, Callable[[], Awaitable[float]]] = {
                name: partial(one.cost_us, size, seconds) for name, one in all_ways.items()
            }
            costs = await take_turns(variants, rounds)
            found[size] = {
                name: Cost(costs[name], one.bytes_per_frame, one.kib_per_viewer)
                for name, one in all_ways.items()
            }
    return found


async def with_stuck_viewers(seconds: float) -> dict[str, float]:
    """Twenty viewers, five of which read nothing: what the others get, and what is left of them."""
    plan = Plan(free_port(), 20, stuck=5)
    async with contextlib.AsyncExitStack() as stack:
        found = await watched(stack, "line", plan)
        before = found.server.memory_kib()
        began = (await found.server.ask(size=42_000, every_s=0.1))["published"]
        await found.viewers.ask()
        await asyncio.sleep(seconds)
        ended = (await found.server.ask(size=42_000, every_s=0.1))["published"]
        seen = await found.viewers.ask()
        grown = found.server.memory_kib() - before
        await asyncio.sleep(max(0.0, GONE_WITHIN_S - seconds))
        left = (await found.server.ask(size=0, every_s=0))["connections"]
    share = seen["frames"] / ((plan.count - plan.stuck) * max(1, ended - began))
    return {"share_of_frames": share, "grown_kib": grown, "stuck_left": left - 15}
