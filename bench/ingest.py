"""What a durable webhook costs beside an empty Starlette route on the same server."""

import contextlib
import itertools
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench.load import Load
from bench.measure import share, take_turns
from bench.processes import Process, free_port, running
from bench.traffic import Traffic, Webhook, request

TOKEN = "t" * 43
PREFIX = f"/hook/{TOKEN}"
CONNECTIONS = 64
AGENTS = 1000
PARTS = ("empty", "receiver", "whole")


def settings(port: int, folder: Path, viewers: int = 0) -> dict[str, str]:
    """The environment of a Pitwall that is measured: a file, every answer on disk."""
    return {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "PITWALL_LOG": f"sqlite:{folder / 'pitwall.db'}",
        "PITWALL_WEBHOOK_TOKEN": TOKEN,
        "PITWALL_TIMEZONE": "Asia/Ho_Chi_Minh",
        "PITWALL_MOST_AGENTS": "10000",
        "PITWALL_TEST_VIEWERS": str(viewers),
        "PITWALL_TEST_BOARDS_PER_S": "1e9",
    }


@dataclass
class Served:
    """A running part of Pitwall, and webhooks for it."""

    process: Process
    port: int
    traffic: Traffic
    turns: Iterator[Webhook]
    ready: dict[str, Any]
    folder: Path

    def requests(self, count: int, *, keep_alive: bool = True) -> list[bytes]:
        """The next webhooks of the floor."""
        hooks = itertools.islice(self.turns, count)
        return [request(PREFIX, hook, keep_alive=keep_alive) for hook in hooks]

    def moments(self, rate: float) -> Iterator[list[bytes]]:
        """What the PBX says at one moment after the other, for ever."""
        for hooks in self.traffic.moments(rate):
            yield [request(PREFIX, hook) for hook in hooks]

    def stored(self) -> int:
        """How many webhooks are in the database; what is not counted is the program's own."""
        kinds = "('tick', 'alarm_rule_set', 'pbx_asked', 'queue_named', 'agent_named')"
        with contextlib.closing(sqlite3.connect(self.folder / "pitwall.db")) as database:
            sql = f"SELECT count(*) FROM event WHERE kind NOT IN {kinds}"  # noqa: S608 - our words
            return int(database.execute(sql).fetchone()[0])

    async def cost_us(self, load: Load, count: int, *, keep_alive: bool = True) -> float:
        """CPU microseconds of the server for each of so many webhooks."""
        requests = self.requests(count, keep_alive=keep_alive)
        began = self.process.cpu_ns()
        sent = await load.flood(requests)
        return (self.process.cpu_ns() - began) / sent / 1000


@contextlib.asynccontextmanager
async def serving(
    part: str, agents: int = AGENTS, viewers: int = 0, core: int | None = 0
) -> AsyncIterator[Served]:
    """This part of Pitwall, with everybody of a floor signed in."""
    with tempfile.TemporaryDirectory(prefix="pitwall-bench-") as name:
        port, folder, traffic = free_port(), Path(name), Traffic(agents)
        environ = settings(port, folder, viewers)
        async with running("bench.pitwall", part, core=core, environ=environ) as (process, ready):
            load = Load(port, CONNECTIONS)
            await load.open()
            groups = ([request(PREFIX, hook) for hook in group] for group in traffic.openings())
            await load.flood_in_order(groups)
            load.close()
            yield Served(process, port, traffic, traffic.turns(), ready, folder)


async def compare(rounds: int, count: int) -> dict[str, dict[str, float]]:
    """{"keep-alive" or "a connection each": {part: µs of CPU per webhook}}."""
    found: dict[str, dict[str, float]] = {}
    async with contextlib.AsyncExitStack() as stack:
        served = {part: await stack.enter_async_context(serving(part)) for part in PARTS}
        for name, keep_alive in (("keep-alive", True), ("a connection each", False)):
            loads = {
                part: Load(one.port, CONNECTIONS, close_each=not keep_alive)
                for part, one in served.items()
            }
            for load in loads.values():
                await load.open()
            variants: dict[str, Callable[[], Awaitable[float]]] = {
                part: partial(one.cost_us, loads[part], count, keep_alive=keep_alive)
                for part, one in served.items()
            }
            found[name] = await take_turns(variants, rounds)
            for load in loads.values():
                load.close()
    return found


async def answer_ms(rate: float, seconds: float) -> dict[str, tuple[float, float]]:
    """{part: (p50, p99) ms until the answer} at a steady rate."""
    found: dict[str, tuple[float, float]] = {}
    for part in PARTS:
        async with serving(part, core=None) as served:
            load = Load(served.port, CONNECTIONS)
            groups = ([one] for moment in served.moments(rate) for one in moment)
            await load.pace(groups, rate, seconds)
            load.close()
            answers = [1000 * value for value in load.latencies]
            found[part] = (share(answers, 50), share(answers, 99))
    return found
