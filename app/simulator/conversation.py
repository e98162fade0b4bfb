"""What happens while two people talk: how long, and whether the call is passed on."""

import random
from collections.abc import Callable
from functools import partial

from app.simulator.exchange import Exchange
from app.simulator.habits import Habits, around, talk_span
from app.simulator.model import Agent, Call

PlanRest = Callable[[Agent, float], None]


class Conversations:
    def __init__(
        self, exchange: Exchange, habits: Habits, chance: random.Random, plan_rest: PlanRest
    ) -> None:
        self._exchange = exchange
        self._engine = exchange.engine
        self._habits = habits
        self._chance = chance
        self._plan_rest = plan_rest
        self._extensions: list[str] = []
        exchange.switch.on_connect.append(self._connected)

    def _connected(self, agent: Agent, call: Call) -> None:
        span = talk_span(self._chance, self._habits)
        fate = self._chance.random() if len(call.segments) == 1 and call.queue else 1.0
        blind, attended = self._habits.blind_transfers, self._habits.attended_transfers
        if fate < blind:
            self._later(call, span / 2, partial(self._transfer, call, agent))
        elif fate < blind + attended:
            self._later(call, span / 2, partial(self._consult, call, agent))
        else:
            self._talk_to_the_end(call, agent, span)

    def _talk_to_the_end(self, call: Call, agent: Agent, span: float) -> None:
        self._later(call, span, partial(self._exchange.hang_up, call))
        if self._chance.random() < self._habits.wraps_up * 0.7:
            wrap = around(self._chance, self._habits.wrap, 0.5)
            early = self._chance.uniform(0.2, min(4.0, span / 2))
            self._later(call, span - early, partial(self._press_pause, call, agent, wrap))

    def _later(self, call: Call, span: float, job: Callable[[], None]) -> None:
        call.timers.append(self._engine.after(span, job))

    def _press_pause(self, call: Call, agent: Agent, wrap: float) -> None:
        if agent.extension in call.legs:
            self._plan_rest(agent, wrap)

    def _colleague_of(self, agent: Agent) -> Agent | None:
        """Anybody who seems free; now and then one who is not there and will not answer."""
        agents = self._exchange.switch.agents
        if not self._extensions:
            self._extensions = [extension for extension, one in agents.items() if one.queues]
        for _ in range(20):
            other = agents[self._chance.choice(self._extensions)]
            if other is not agent and not other.legs:
                return other
        return None

    def _transfer(self, call: Call, agent: Agent) -> None:
        target = self._colleague_of(agent)
        if target is None or agent.extension not in call.legs:
            self._exchange.hang_up(call)
        else:
            self._exchange.transfers.blind(call, agent, target)

    def _consult(self, call: Call, agent: Agent) -> None:
        target = self._colleague_of(agent)
        if target is None or agent.extension not in call.legs:
            self._exchange.hang_up(call)
            return
        self._exchange.transfers.consult(call, target)
        span = self._chance.uniform(14.0, 40.0)
        self._later(call, span, partial(self._hand_over, call, agent, target))

    def _hand_over(self, call: Call, agent: Agent, target: Agent) -> None:
        leg = call.legs.get(target.extension)
        if leg is not None and leg.talks:
            self._exchange.transfers.hand_over(call, agent, target)
        else:
            self._talk_to_the_end(call, agent, self._chance.uniform(5.0, 40.0))
