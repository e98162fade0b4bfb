"""Trace files: one webhook a line, with the time at which it was sent; and days made at once."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from app.simulator.faults import Line
from app.simulator.wire import Webhook
from app.simulator.world import World

STEP = 5.0


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
        world.close_after(hours)
        for now, webhooks in steps(world):
            line.feed(webhooks)
            for at, webhook in line.due(now):
                writer.write(at, webhook)
                written += 1
    return written


def steps(world: World) -> Iterator[tuple[float, list[Webhook]]]:
    """Until the world is over; the last step is for ever, so that what is late arrives too."""
    now = world.exchange.engine.now
    while not world.is_over():
        now += STEP
        yield now, world.run_until(now)
    yield math.inf, []
