"""Whether the cost of an event, and of a page, depends on how large the floor is."""

import asyncio
import contextlib
import urllib.request
from dataclasses import dataclass

import msgspec

from bench.ingest import CONNECTIONS, Served, serving
from bench.load import Load
from bench.measure import typical
from bench.processes import running
from bench.viewers import Plan

VIEWERS = 10
RATE = 500.0


async def event_us(agents: tuple[int, ...], rounds: int, seconds: float) -> dict[int, float]:
    """{agents: µs of CPU per event} at the same rate, while some watch; the floors take turns."""
    costs: dict[int, list[float]] = {size: [] for size in agents}
    async with contextlib.AsyncExitStack() as stack:
        floors = {}
        for size in agents:
            served = await stack.enter_async_context(serving("whole", size, VIEWERS))
            plan = Plan(served.port, VIEWERS, deflate=True, cookies=served.ready["cookies"])
            words = msgspec.json.encode(plan).decode()
            await stack.enter_async_context(running("bench.viewers", words, core=1))
            floors[size] = served
        for _ in range(rounds):
            for size, served in floors.items():
                costs[size].append(await _paced_us(served, seconds))
    return {size: typical(values) for size, values in costs.items()}


async def _paced_us(served: Served, seconds: float) -> float:
    load = Load(served.port, CONNECTIONS)
    await load.open()
    began = served.process.cpu_ns()
    sent = await load.pace(served.moments(RATE), RATE, seconds)
    spent = served.process.cpu_ns() - began
    load.close()
    return spent / sent / 1000


@dataclass(frozen=True)
class Opening:
    """CPU of the server for one page, ms: of the first of an audience, and of those after."""

    first_ms: float
    next_ms: float
    page_kib: float


async def page_ms(agents: int, count: int) -> Opening:
    """Open the board of so many agents."""
    async with serving("whole", agents, VIEWERS) as served:
        cookie = served.ready["cookies"][0]
        # Another order of the cards is another audience: nobody has opened its board yet.
        address = f"http://127.0.0.1:{served.port}/?order=name"
        # The very first page of a process compiles the templates, once.
        await asyncio.to_thread(_get, f"http://127.0.0.1:{served.port}/", cookie)
        first, size = await _open(served, address, cookie)
        later = [(await _open(served, address, cookie))[0] for _ in range(count)]
        return Opening(first, typical(later), size / 1024)


async def _open(served: Served, address: str, cookie: str) -> tuple[float, int]:
    began = served.process.cpu_ns()
    size = await asyncio.to_thread(_get, address, cookie)
    return (served.process.cpu_ns() - began) / 1e6, size


def _get(address: str, cookie: str) -> int:
    asked = urllib.request.Request(address, headers={"Cookie": cookie})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return len(answer.read())
