"""Trace files: one webhook a line, with the time at which it was sent; and days made at once."""

import json
from pathlib import Path
from typing import TextIO

from app.simulator.faults import Line
from app.simulator.wire import Webhook
from app.simulator.world import World

STEP = 5.0
LONGEST_WAY_HOME = 7200.0


class TraceWriter:
    def __init__(self, file: TextIO, method: str = "GET") -> None:
        self._file = file
        self._method = method

    def write(self, at: float, webhook: Webhook) -> None:
        line = {
            "t": round(at, 6),
            "method": self._method,
            "path": webhook.path,
            "params": webhook.params,
            "src": webhook.source,
        }
        print(json.dumps(line, separators=(",", ":")), file=self._file)


def write_trace(world: World, line: Line, path: Path, *, hours: float, method: str) -> int:
    """Run `hours` without a network, then until the last call is over; how many webhooks."""
    written = 0
    with path.open("w", encoding="utf-8") as file:
        writer = TraceWriter(file, method)
        world.start()
        closing = world.exchange.engine.now + hours * 3600
        world.exchange.engine.at(closing, world.close)
        for now in steps(world, closing):
            line.feed(world.run_until(now))
            for at, webhook in line.due(now):
                writer.write(at, webhook)
                written += 1
    return written


def steps(world: World, closing: float) -> list[float]:
    begin = world.exchange.engine.now
    count = int((closing + LONGEST_WAY_HOME - begin) // STEP) + 1
    return [begin + STEP * index for index in range(1, count + 1)]
