"""The other end of the line: who calls when, how long they wait, and who answers when called."""

import math
import random
from dataclasses import dataclass
from functools import partial

from app.simulator.exchange import Exchange
from app.simulator.habits import Habits, patience
from app.simulator.model import Agent, Call
from app.simulator.names import phone_number

BURST_EVERY = 360.0
# Calls per half-hour of a day that begins at 07:00, relative to the busiest: a real centre's.
DAY = (
    *(0.25, 0.35, 0.54, 0.77, 0.79, 0.92, 1.00, 0.97, 0.88, 0.84, 0.80, 0.77, 0.80, 0.85, 0.89),
    *(0.87, 0.85, 0.87, 0.89, 0.86, 0.71, 0.68, 0.60, 0.55, 0.49, 0.45, 0.39, 0.46, 0.41, 0.44),
    *(0.40, 0.37, 0.34, 0.24),
)


@dataclass(frozen=True, slots=True)
class Demand:
    """`rate` is calls per simulated second at level 1; `day` follows a day that starts now."""

    rate: float
    day: bool = False
    burst: int = 4


class Customers:
    def __init__(
        self, exchange: Exchange, habits: Habits, demand: Demand, chance: random.Random
    ) -> None:
        self._exchange = exchange
        self._engine = exchange.engine
        self._habits = habits
        self._demand = demand
        self._chance = chance
        self._began = exchange.engine.now
        self._closing = False
        queues = exchange.switch.queues.values()
        self._numbers = [queue.number for queue in queues]
        self._weights = [len(queue.members) for queue in queues]
        self._agents = [one for one in exchange.switch.agents.values() if one.queues]
        exchange.switch.on_dial.append(self._is_called)

    def start(self, *, at_once: int) -> None:
        """`at_once` callers ring in the first seconds."""
        for _ in range(at_once):
            self._engine.after(self._chance.uniform(1.0, 9.0), self.call)
        if self._demand.rate > 0:
            self._expect_next()
            self._engine.after(self._chance.expovariate(1 / BURST_EVERY), self._burst)

    def close(self) -> None:
        self._closing = True

    # -- arrivals ------------------------------------------------------------------------------

    def level(self) -> float:
        """How busy it is now; 1 is the mean of the waves, or the peak of the day."""
        since = self._engine.now - self._began
        waves = 0.25 * math.sin(since / 175) + 0.12 * math.sin(since / 43)
        if not self._demand.day:
            return 1.0 + waves
        return DAY[min(int(since // 1800), len(DAY) - 1)] * (1.0 + waves / 3)

    def _expect_next(self) -> None:
        # Thinning: candidates at the highest rate, of which a share as large as the level calls.
        self._engine.after(self._chance.expovariate(self._demand.rate * 1.4), self._candidate)

    def _candidate(self) -> None:
        if self._closing:
            return
        if self._chance.random() < self.level() / 1.4:
            self._arrival()
        self._expect_next()

    def _arrival(self) -> None:
        if self._chance.random() < self._habits.calls_direct:
            self._call_direct(self._chance.choice(self._agents))
        else:
            self.call()

    def _burst(self) -> None:
        if self._closing:
            return
        for _ in range(self._demand.burst):
            self._engine.after(self._chance.uniform(0.0, 15.0), self.call)
        self._engine.after(self._chance.expovariate(1 / BURST_EVERY), self._burst)

    def call(self, number: str = "", phone: str = "") -> None:
        if self._closing:
            return
        number = number or self._chance.choices(self._numbers, self._weights)[0]
        call = self._exchange.arrive(number, phone or phone_number(self._chance))
        self._engine.after(patience(self._chance, self._habits.hurry), partial(self._give_up, call))

    def _give_up(self, call: Call) -> None:
        if not call.waits:
            return
        number = call.queue
        self._exchange.abandon(call)
        if self._chance.random() < self._habits.calls_back:
            again = partial(self.call, number, call.phone)
            self._engine.after(self._chance.uniform(30.0, 480.0), again)

    # -- not through a queue -------------------------------------------------------------------

    def _call_direct(self, agent: Agent) -> None:
        phone = phone_number(self._chance)
        did = f"02800{agent.extension:0>6}"
        call = self._exchange.dialling.direct(agent, phone, did)
        if self._chance.random() < 0.2:
            self._engine.after(self._chance.uniform(4.0, 18.0), partial(self._stop, call, agent))

    def _stop(self, call: Call, agent: Agent) -> None:
        if not call.ended and call.answered is None:
            self._exchange.dialling.direct_fails(call, agent)

    def _is_called(self, call: Call) -> None:
        dialling, fate = self._exchange.dialling, self._chance.random()
        if fate < 0.65:
            span, job = self._chance.uniform(3.0, 12.0), partial(dialling.customer_answers, call)
        elif fate < 0.77:
            span, job = 1.0, partial(dialling.fail, call, "BUSY", leftover=True)
        elif fate < 0.9:
            span, job = self._chance.uniform(12.0, 28.0), partial(dialling.fail, call, "NOANSWER")
        else:
            return
        self._engine.after(span, job)
