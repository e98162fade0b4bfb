"""The agents: they log in and out, take breaks, let it ring, answer, talk, transfer, wrap up."""

import random
from dataclasses import dataclass
from functools import partial

from app.simulator.conversation import Conversations
from app.simulator.engine import Timer
from app.simulator.exchange import Exchange
from app.simulator.habits import Habits, around
from app.simulator.model import Agent, Call, Leg
from app.simulator.names import phone_number

NOTICES_AFTER = (40.0, 120.0)


@dataclass(slots=True)
class Person:
    """Who sits at the phone. `rest` is the pause planned for after this call."""

    agent: Agent
    at_desk: bool = True
    leaving: bool = False
    rest: float = 0.0
    back: Timer | None = None


class Staff:
    def __init__(self, exchange: Exchange, habits: Habits, chance: random.Random) -> None:
        self._exchange = exchange
        self._engine = exchange.engine
        self._habits = habits
        self._chance = chance
        self._closing = False
        agents = exchange.switch.agents.values()
        self.people = {agent.extension: Person(agent) for agent in agents if agent.queues}
        self._conversations = Conversations(exchange, habits, chance, self.plan_rest)
        exchange.switch.on_ring.append(self._rings)
        exchange.switch.on_release.append(self._released)
        exchange.switch.on_change.append(self._changed)

    # -- shifts --------------------------------------------------------------------------------

    def start(self, *, warm: bool) -> None:
        """A warm start finds most people there, some of them on a break."""
        for person in self.people.values():
            self._engine.after(self._next_urge(), partial(self._urge, person))
            if warm and self._chance.random() < 0.92:
                self._engine.after(self._chance.uniform(0.0, 2.0), partial(self._arrive, person))
            else:
                span = self._chance.uniform(20.0, 1200.0 if warm else 120.0)
                self._engine.after(span, partial(self._start_shift, person))

    def close(self) -> None:
        """Everybody goes home within a minute or two; calls are talked to their end."""
        self._closing = True
        for person in self.people.values():
            self._engine.after(self._chance.uniform(0.0, 60.0), partial(self._end_shift, person))

    def _arrive(self, person: Person) -> None:
        self._start_shift(person, part=self._chance.random())
        if self._chance.random() < 0.08:
            self._pause(person, self._chance.uniform(20.0, self._habits.pause))

    def _start_shift(self, person: Person, part: float = 1.0) -> None:
        if self._closing or person.agent.logged_in:
            return
        person.at_desk, person.leaving = True, False
        self._exchange.log_in(person.agent)
        span = self._chance.uniform(*self._habits.shift) * part
        self._engine.after(span, partial(self._end_shift, person))

    def _end_shift(self, person: Person) -> None:
        agent = person.agent
        if not agent.logged_in:
            return
        if agent.legs and self._chance.random() >= self._habits.leaves_mid_call:
            person.leaving = True
        else:
            self._leave(person)

    def _leave(self, person: Person) -> None:
        person.leaving, person.rest = False, 0.0
        self._exchange.log_out(person.agent)
        if not self._closing:
            span = self._chance.uniform(*self._habits.away)
            self._engine.after(span, partial(self._start_shift, person))

    # -- what one feels like now and then ------------------------------------------------------

    def _next_urge(self) -> float:
        habits = self._habits
        rate = habits.pauses_per_hour + habits.outbound_per_hour + habits.unregisters_per_hour
        return self._chance.expovariate(rate / 3600) if rate else 1e12

    def _urge(self, person: Person) -> None:
        habits = self._habits
        weights = (habits.pauses_per_hour, habits.outbound_per_hour, habits.unregisters_per_hour)
        deeds = (self._take_break, self._dial_out, self._lose_the_line)
        (deed,) = self._chance.choices(deeds, weights)
        if person.agent.logged_in and not self._closing:
            deed(person)
        self._engine.after(self._next_urge(), partial(self._urge, person))

    def _take_break(self, person: Person) -> None:
        lunch = self._chance.random() < 0.12
        span = (
            self._chance.uniform(1200, 1800)
            if lunch
            else around(self._chance, self._habits.pause, 0.6)
        )
        if person.agent.legs:
            self.plan_rest(person.agent, span)
        elif not person.agent.paused:
            self._pause(person, span)

    def _dial_out(self, person: Person, tries: int = 30) -> None:
        # A phone that rings for a queue can dial all the same.
        if person.agent.word in ("on", "ring"):
            self._exchange.dial(person.agent, phone_number(self._chance))
        elif tries and person.agent.logged_in:
            self._engine.after(7.0, partial(self._dial_out, person, tries - 1))

    def _lose_the_line(self, person: Person) -> None:
        self._exchange.set_registered(person.agent, False)
        found = partial(self._exchange.set_registered, person.agent, True)
        self._engine.after(self._chance.uniform(5.0, 60.0), found)

    # -- pauses --------------------------------------------------------------------------------

    def plan_rest(self, agent: Agent, span: float) -> None:
        """Press pause during the call, for the time after it."""
        person = self.people.get(agent.extension)
        if person is not None and agent.logged_in and not agent.paused:
            person.rest = span
            self._exchange.set_paused(agent, True)

    def _pause(self, person: Person, span: float) -> None:
        if person.agent.logged_in and not person.agent.paused:
            self._exchange.set_paused(person.agent, True)
            self._rest(person, span)

    def _rest(self, person: Person, span: float) -> None:
        person.rest = 0.0
        # Up to half a minute is paper work; who pauses for longer gets up.
        person.at_desk = span < 30.0
        self._come_back_after(person, span)

    def _come_back_after(self, person: Person, span: float) -> None:
        if person.back is not None:
            person.back.cancel()
        person.back = self._engine.after(span, partial(self._come_back, person))

    def _come_back(self, person: Person) -> None:
        person.back, person.at_desk = None, True
        if person.agent.paused and not person.rest:
            self._exchange.set_paused(person.agent, False)

    def _changed(self, agent: Agent) -> None:
        person = self.people.get(agent.extension)
        if person is None or not agent.paused or person.back is not None:
            return
        if agent.paused_by == "supervisor":
            self._come_back_after(person, self._habits.supervisor_pause)
        elif agent.paused_by == "queue":
            self._come_back_after(person, self._chance.uniform(*NOTICES_AFTER))

    # -- the phone -----------------------------------------------------------------------------

    def _rings(self, agent: Agent, call: Call) -> None:
        person = self.people.get(agent.extension)
        if person is None:
            self._engine.after(1.0, partial(self._exchange.answer, agent, call))
        elif person.at_desk:
            self._react(agent, call)

    def _react(self, agent: Agent, call: Call) -> None:
        fate = self._chance.random()
        delay = min(max(around(self._chance, self._habits.answers_after, 0.6), 0.8), 14.0)
        if fate < self._habits.declines:
            self._engine.after(delay, partial(self._exchange.decline, agent, call))
        elif fate >= self._habits.declines + self._habits.no_answer:
            self._engine.after(delay, partial(self._exchange.answer, agent, call))

    def _released(self, agent: Agent, call: Call, leg: Leg) -> None:
        person = self.people.get(agent.extension)
        if person is None or agent.talks or not agent.logged_in:
            return
        for callid in agent.legs:
            self._engine.after(1.5, partial(self._answer_too, agent, callid))
        if agent.legs:
            return
        if person.leaving:
            self._engine.after(self._chance.uniform(0.5, 3.0), partial(self._leave_now, person))
        elif person.rest:
            self._rest(person, person.rest)
        elif leg.talks and self._chance.random() < self._habits.wraps_up * 0.3:
            span = around(self._chance, self._habits.wrap, 0.5)
            self._engine.after(self._chance.uniform(0.3, 1.5), partial(self._wrap, person, span))

    def _answer_too(self, agent: Agent, callid: str) -> None:
        call = self._exchange.switch.calls.get(callid)
        if call is not None:
            self._exchange.answer(agent, call)

    def _leave_now(self, person: Person) -> None:
        if person.leaving and person.agent.logged_in:
            self._leave(person)

    def _wrap(self, person: Person, span: float) -> None:
        if not person.agent.legs:
            self._pause(person, span)
