"""A simulation in real time: the virtual clock follows the real one at the wanted speed."""

import asyncio
import random
import time
from collections.abc import Callable

from app.simulator.faults import Faults, Line
from app.simulator.trace import TraceWriter
from app.simulator.webhooks import Pusher
from app.simulator.world import World

TICK = 0.02


class Simulation:
    """`advance` may be called at any time: what is due by then happens, and is pushed."""

    def __init__(
        self,
        world: World,
        faults: Faults,
        pusher: Pusher,
        *,
        speed: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.world = world
        self.faults = faults
        self.pusher = pusher
        self.line = Line(faults, random.Random(f"{world.plan.seed} line"))
        self._speed = speed
        self.trace: TraceWriter | None = None
        self._clock = clock
        self._began = clock()
        self._start = world.exchange.engine.now

    def now(self) -> float:
        return self._start + (self._clock() - self._began) * self._speed

    def advance(self) -> None:
        now = self.now()
        self.line.feed(self.world.run_until(now))
        for at, webhook in self.line.due(now):
            self.pusher.push(webhook)
            if self.trace is not None:
                self.trace.write(at, webhook)

    async def run(self) -> None:
        """Until everybody has gone home, or it is cancelled."""
        self._began = self._clock() - (self.world.exchange.engine.now - self._start) / self._speed
        self.world.start()
        while not self.world.is_over():
            self.advance()
            await asyncio.sleep(TICK)

    def change_faults(self, wanted: dict[str, object], seconds: float | None = None) -> None:
        """Turn faults on or off; after `seconds` simulated ones those named are off again."""
        self.faults.change(wanted)
        if seconds is not None:
            off: dict[str, object] = dict.fromkeys(wanted, 0.0)
            self.world.exchange.engine.after(seconds, lambda: self.faults.change(off))

    def state(self) -> dict[str, object]:
        return {
            "speed": self._speed,
            "now": round(self.world.exchange.engine.now, 3),
            "webhooks": dict(self.pusher.counts) | self.line.counts,
            "faults": self.faults.as_dict(),
        }
