"""When time alone may next change something, so that a tick passes over everything else.

A tick looks at what is due and not at the whole floor. Looking too early does no harm; the rules
themselves are in `expiry`. Not part of the state: made from it, and kept up from what changed.
"""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush

from app.domain.books import MINUTE
from app.domain.model import Agent, Call, FloorState
from app.domain.states import CallState, LegState, Outcome, Status
from app.domain.turn import Changes

HOUR = 60 * MINUTE
SETTLE_AFTER = MINUTE
# Rule 9: how long a state may stay unheard of before it is doubted …
RINGING_UNHEARD = 5 * MINUTE
WAITING_UNHEARD = 30 * MINUTE
PASSED_OVER = MINUTE
TALKING_UNHEARD = 4 * HOUR
AGENT_UNHEARD = 12 * HOUR
# … and how much longer until the doubt is settled without the PBX.
GIVE_UP_AFTER = MINUTE
FORGET_COMPLETE = HOUR
FORGET_UNRECORDED = 24 * HOUR
AT_EVERY_TICK, NEVER = 0, 2**62
# So many outdated lines are no trouble; beyond that they may be as many as the lines that hold.
OUTDATED = 1000


class Agenda:
    """Names by the moment (ms) at which to look at them; those due come in the order of the floor.

    That is the order in which they were first put, as a dictionary has it.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []
        self._when: dict[str, int] = {}
        self._rank: dict[str, int] = {}
        self._dropped = 0

    def put(self, name: str, when: int) -> None:
        """Look at it then, or before where it was put for an earlier moment.

        Most is put off again and again: once it is due too early costs less than each time.
        """
        known = self._when.get(name)
        if known is None:
            self._rank.setdefault(name, len(self._rank) + self._dropped)
        if known is None or when < known:
            self._when[name] = when
            heappush(self._heap, (when, name))
            if len(self._heap) > 2 * len(self._when) + OUTDATED:
                self._strike_out()

    def drop(self, name: str) -> None:
        """It is gone."""
        self._when.pop(name, None)
        if self._rank.pop(name, None) is not None:
            self._dropped += 1

    def take(self, at: int) -> list[str]:
        """What is due at `at`; to be put again."""
        due = []
        while self._heap and self._heap[0][0] <= at:
            when, name = heappop(self._heap)
            # Put anew since, or taken already, where it is not so.
            if self._when.get(name) == when:
                del self._when[name]
                due.append(name)
        return sorted(due, key=self._rank.__getitem__)

    def _strike_out(self) -> None:
        """A call that talked is put for hours later, and most are over in minutes."""
        self._heap = [(when, name) for name, when in self._when.items()]
        heapify(self._heap)


class Diary:
    """The agendas of one floor's agents and calls."""

    def __init__(self, state: FloorState) -> None:
        self._state = state
        self._agents, self._calls = Agenda(), Agenda()
        # What changed since the last tick, oldest first.
        self._touched_agents: dict[str, None] = dict.fromkeys(state.agents)
        self._touched_calls: dict[str, None] = dict.fromkeys(state.calls)

    def note(self, changes: Changes) -> None:
        """These may be due at another time now, which the next tick will want to know."""
        for extension in _in_order(changes.agents):
            self._touched_agents[extension] = None
        for callid in _in_order(changes.calls):
            self._touched_calls[callid] = None

    def due(self, at: int) -> tuple[list[Agent], list[Call]]:
        """The agents and calls to look at, in the floor's order."""
        self._put_touched()
        agents, calls = self._agents.take(at), self._calls.take(at)
        # Looked at, they may be due again.
        self._touched_agents, self._touched_calls = dict.fromkeys(agents), dict.fromkeys(calls)
        known = self._state.calls
        return [self._state.agents[one] for one in agents], [known[one] for one in calls]

    def _put_touched(self) -> None:
        for extension in self._touched_agents:
            agent = self._state.agents.get(extension)
            if agent is not None:
                self._agents.put(extension, agent_due(agent))
        for callid in self._touched_calls:
            call = self._state.calls.get(callid)
            if call is None:
                self._calls.drop(callid)
            else:
                self._calls.put(callid, call_due(call))


def _in_order(names: set[str]) -> Iterable[str]:
    """A set has another order in another process, and the floor must not. Most hold one name."""
    return names if len(names) < 2 else sorted(names)


def agent_due(agent: Agent) -> int:
    """When to look at this agent again (ms)."""
    if agent.doubt_since is not None or agent.listeners:
        return AT_EVERY_TICK
    heard = max(agent.phone_at, agent.verified_at or 0, agent.since)
    if agent.phone is Status.RING and not agent.legs:
        return heard + RINGING_UNHEARD
    # Who is off, or doubted already, stays so until something is heard.
    return NEVER if agent.status is Status.OFF or agent.in_doubt else heard + AGENT_UNHEARD


def call_due(call: Call) -> int:
    """When to look at this call again (ms)."""
    if call.settled:
        return (call.ended_at or 0) + kept_for(call) + 1
    if call.state is CallState.ENDED:
        return (call.ended_at or 0) + SETTLE_AFTER
    if any(visit.echo for visit in call.visits):
        return AT_EVERY_TICK
    states = {leg.state for leg in call.legs.values()}
    if LegState.TALKING in states:
        return call.heard_at + TALKING_UNHEARD
    # Whether a waiting caller was passed over depends on agents, whom nobody asks before that.
    return call.heard_at + (RINGING_UNHEARD if LegState.RINGING in states else PASSED_OVER)


def kept_for(call: Call) -> int:
    """How long to remember a call after its end (ms): longer where its record may yet come."""
    return FORGET_COMPLETE if call.records or _gave_up(call) else FORGET_UNRECORDED


def _gave_up(call: Call) -> bool:
    """The PBX said so of each queue, and nobody talked: nothing more is to come that counts."""
    told = all(v.outcome is Outcome.ABANDONED and not v.inferred for v in call.visits)
    return bool(call.visits) and told and call.answered_at is None and not call.lost
