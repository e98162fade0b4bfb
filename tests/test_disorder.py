"""Long stories with all that can go wrong on the way: late, doubled, lost, swapped, restarted.

Chance looks for a floor that contradicts itself; what it finds becomes a row in the other tests.
"""

import os

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.domain.books import MINUTE
from app.domain.events import Event
from app.domain.expiry import merge
from app.domain.model import Tally
from app.domain.states import CallState
from tests.story import Story, event_of
from tests.test_orders import contradictions

AGENTS = ("101", "102", "103")
# What a call may look like from the exchange's side; C is the caller, A and B are agents.
COURSES = (
    "C rings A in 999,C rings B in 999,A ring,A talk,C answered A in 999,A on,C hangs up,"
    "C record ANSWER A 9/7 inbound",
    "C rings A in 999,C missed A in 999,C rings A in 999,C missed A in 999,C hangs up,"
    "C abandons 999 after 30",
    "C waits in 999,C abandons 999 after 20,C rings B in 888,C answered B in 888,C hangs up",
    "C rings A in 999,C answered A in 999,A talk,C rings B,A on,C answered B,C hangs up",
    "A talk,A dials C,A reaches C,A on,C hangs up,C record ANSWER A 9/7 outbound",
    "A ring,C rings A,A talk,C answered A,A on,C record ANSWER A 9/7 inbound",
    "A pause,C rings A in 999,C answered A in 999,A verified talk paused,C hangs up,A off,A on",
)


class Disorder(RuleBasedStateMachine):
    """One floor, a wire with webhooks on it, and what was delivered already."""

    def __init__(self) -> None:
        super().__init__()
        self.story = Story()
        self.wire: list[Event] = []
        self.delivered: list[Event] = []
        self.callers = 0

    @rule(
        course=st.sampled_from(COURSES), agents=st.permutations(AGENTS), who=st.sampled_from("123")
    )
    def somebody_calls(self, course: str, agents: list[str], who: str) -> None:
        self.callers += 1
        # The number is made of the last digits: three people call, again and again.
        names = {"A": agents[0], "B": agents[1], "C": f"c{self.callers}-93836373{who}"}
        for step in course.split(","):
            words = " ".join(names.get(word, word) for word in step.split())
            self.wire.append(event_of(words, self.story.now))

    @precondition(lambda self: self.wire)
    @rule(count=st.integers(1, 6))
    def deliver(self, count: int) -> None:
        for _ in range(min(count, len(self.wire))):
            self.hear(self.wire.pop(0))

    @precondition(lambda self: self.wire)
    @rule(where=st.integers(0, 9))
    def overtake(self, where: int) -> None:
        self.hear(self.wire.pop(where % len(self.wire)))

    @precondition(lambda self: self.wire)
    @rule(where=st.integers(0, 9))
    def lose(self, where: int) -> None:
        self.wire.pop(where % len(self.wire))

    @precondition(lambda self: self.delivered)
    @rule(where=st.integers(1, 9))
    def hear_again(self, where: int) -> None:
        self.hear(self.delivered[-min(where, len(self.delivered))])

    @rule(span=st.sampled_from(["1s", "4s", "20s", "70s", "6m"]))
    def wait(self, span: str) -> None:
        self.story.tell(f"+{span}")

    @rule()
    def restart(self) -> None:
        before = self.story.state
        self.story.restart()
        assert self.story.state == before

    @rule()
    def replay(self) -> None:
        assert self.story.replayed() == self.story.state

    @rule(who=st.sampled_from(AGENTS), word=st.sampled_from(["on", "off", "talk", "ring", "pause"]))
    def ask(self, who: str, word: str) -> None:
        self.hear(event_of(f"{who} verified {word}"))
        assert not self.story.state.agents[who].in_doubt

    def hear(self, event: Event) -> None:
        self.story.now += 200
        self.story.happens(event)
        self.delivered.append(event)

    @invariant()
    def nothing_contradicts_itself(self) -> None:
        assert contradictions(self.story) == []

    @invariant()
    def the_minutes_make_the_day(self) -> None:
        for queue in self.story.state.queues.values():
            day = Tally()
            for minute, tally in queue.minutes.items():
                if minute * MINUTE >= self.story.state.day_began:
                    merge(day, tally)
            assert day == queue.today

    @invariant()
    def who_is_counted_is_counted_once(self) -> None:
        visits = [visit for call in self.story.state.calls.values() for visit in call.visits]
        booked = sum(visit.booked is not None for visit in visits)
        assert self.story.floor.totals().today.offered == booked

    def teardown(self) -> None:
        """Whatever was lost: hours later nothing goes on, and nobody is left in a call."""
        self.story.tell("~6m, tick, ~70s, tick")
        # An hour later the minutes are gone, and the day stands alone.
        self.the_minutes_make_the_day()
        self.story.tell("~5h, tick, ~70s, tick, ~70s, tick")
        assert all(call.state is CallState.ENDED for call in self.story.state.calls.values())
        assert not any(agent.legs for agent in self.story.state.agents.values())
        self.nothing_contradicts_itself()
        self.replay()


FEW = settings(max_examples=40, stateful_step_count=40, deadline=None)
# `.ci/run` asks for more, `make disorder` for many more. Hypothesis's own word for that, CI, would
# make it the same stories each time.
TestDisorder = Disorder.TestCase
TestDisorder.settings = settings(
    FEW, max_examples=int(os.environ.get("PITWALL_TEST_EXAMPLES", FEW.max_examples))
)
