"""Puts a centre together: agents, queues and supervisors, with the demand that fits them."""

import random
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Literal

from app.simulator.customers import Customers, Demand
from app.simulator.exchange import Exchange
from app.simulator.habits import Habits
from app.simulator.model import Agent, Queue, Strategy
from app.simulator.names import people_names, words
from app.simulator.people import Staff
from app.simulator.wire import Webhook

QUEUE_NAMES = words(
    "Sales Support Billing Bookings Returns Deliveries Contracts Claims Repairs Retention"
)
RING_ALL_AT_MOST = 15


@dataclass(frozen=True, slots=True)
class Plan:
    """What to build. `queues` 0: three, or one for each 25 agents. Spans in simulated seconds."""

    agents: int = 24
    queues: int = 0
    seed: int = 1
    start: float = 0.0
    zone: tzinfo | None = None
    load: float = 0.85
    warm: bool = True
    day: bool = False
    strategy: Literal["mixed", "ring-all", "round-robin"] = "mixed"
    announce_waiting: bool = True
    supervisors: tuple[str, ...] = ("900", *(str(number) for number in range(910, 920)))
    habits: Habits = field(default_factory=Habits)


class World:
    """The exchange, its people and its callers."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._closed = False
        self.exchange = Exchange(
            plan.start, plan.seed, plan.zone, announce_waiting=plan.announce_waiting
        )
        build_queues(self.exchange, plan)
        build_agents(self.exchange, plan)
        habits = plan.habits
        self.staff = Staff(self.exchange, habits, random.Random(f"{plan.seed} people"))
        demand = Demand(self._rate(), plan.day, max(1, plan.agents // 6))
        chance = random.Random(f"{plan.seed} customers")
        self.customers = Customers(self.exchange, habits, demand, chance)

    def start(self) -> None:
        self.staff.start(warm=self.plan.warm)
        warm = self.plan.warm and self.plan.load > 0
        self.customers.start(at_once=round(self.plan.agents * 0.6) if warm else 0)

    def close(self) -> None:
        """No new callers; everybody goes home when the last call is done."""
        self._closed = True
        self.customers.close()
        self.staff.close()

    def is_over(self) -> bool:
        """Closed, and the last has gone home."""
        switch = self.exchange.switch
        if not self._closed or switch.calls:
            return False
        return not any(agent.logged_in for agent in switch.agents.values())

    def close_after(self, hours: float) -> None:
        self.exchange.engine.after(hours * 3600, self.close)

    def run_until(self, when: float) -> list[Webhook]:
        return self.exchange.run_until(when)

    def _rate(self) -> float:
        habits = self.plan.habits
        # Some are at home or on a break, and all spend time on calls of their own.
        present = self.plan.agents * 0.73
        return self.plan.load * present / (habits.talk + habits.wrap * habits.wraps_up + 5.0)


def build_queues(exchange: Exchange, plan: Plan) -> None:
    wanted = plan.queues or max(3, min(400, plan.agents // 25))
    count = max(1, min(wanted, plan.agents))
    first = 901 if count <= 9 else 9001
    for index in range(count):
        following = str(first + (index + 1) % count) if index % 3 == 0 and count > 1 else ""
        queue = Queue(
            number=str(first + index),
            name=QUEUE_NAMES[index] if index < len(QUEUE_NAMES) else f"Queue {index + 1}",
            did=f"0280000{first + index:04d}",
            strategy=strategy_of(plan, index, plan.agents / count),
            limit=75.0,
            overflow=following,
            autopause=index % 3 == 2,
        )
        exchange.add_queue(queue)


def strategy_of(plan: Plan, index: int, members: float) -> Strategy:
    """Ring-all for every third queue, as long as it is not a crowd that would ring."""
    if plan.strategy == "mixed":
        few = members * 1.25 <= RING_ALL_AT_MOST
        return "ring-all" if few and index % 3 == 0 else "round-robin"
    return plan.strategy


def build_agents(exchange: Exchange, plan: Plan) -> None:
    chance = random.Random(f"{plan.seed} names")
    numbers = list(exchange.switch.queues)
    first = next(base for base in (101, 1001, 10001) if plan.agents <= base * 7 or base > 10000)
    for index, name in enumerate(people_names(plan.agents, chance)):
        own = index % len(numbers)
        second = (numbers[(own + 1) % len(numbers)],) if chance.random() < 0.25 else ()
        queues = tuple(dict.fromkeys((numbers[own], *second)))
        exchange.add_agent(Agent(str(first + index), name, queues))
    for extension in plan.supervisors:
        if extension not in numbers:
            exchange.add_agent(Agent(extension, f"Supervisor {extension}", answers_by_itself=True))
