"""How much a floor may grow by what webhooks alone say: a sender gone mad must not fill the memory.

What is over a cap is in the log, but not on the floor, and is counted there. Agents and queues
that an administrator named, or that the PBX told of when asked, are real and count against none.
"""

from collections.abc import Container
from dataclasses import dataclass

from app.domain import events
from app.domain.model import Call, FloorState
from app.domain.states import CallState
from app.domain.turn import Changes

AGENTS, QUEUES, CALLS, REPORTS = "agents", "queues", "calls", "reports of one call"
# These only end or complete a call: one that nobody saw begin is remembered as over.
ENDINGS = (events.CallEnded, events.CallRecorded)


@dataclass(frozen=True, slots=True)
class Caps:
    """The most of each. `remembered` counts calls that go on and calls that are over together;
    `legs` are the phones that one call rang.
    """

    agents: int = 2_000
    queues: int = 500
    calls: int = 5_000
    remembered: int = 50_000
    tombstones: int = 50_000
    reports: int = 500
    legs: int = 1_000

    @property
    def kept(self) -> int:
        """How many calls may stay after a tick, so that a rush fits before the next one."""
        return self.remembered - self.remembered // 10

    @classmethod
    def for_agents(cls, agents: int) -> "Caps":
        """What a site with so many agents needs, and never less than the usual."""
        least = cls()
        calls, old = max(least.calls, agents * 5 // 2), max(least.remembered, 25 * agents)
        return cls(
            agents,
            least.queues,
            calls,
            old,
            max(least.tombstones, 25 * agents),
            legs=max(least.legs, agents // 2),
        )


USUAL = Caps()


class Grown:
    """What of a floor counts against its caps. `note` what changed before it is read again."""

    def __init__(self, state: FloorState) -> None:
        self.agents: set[str] = set()
        self.queues: set[str] = set()
        self.calls: set[str] = set()
        everything = Changes(set(state.agents), set(state.queues), set(state.calls), roster=True)
        self.note(state, everything)

    def note(self, state: FloorState, changes: Changes) -> None:
        """Look again at these; at agents and queues where any came, went or became real."""
        if changes.roster:
            self._note_roster(state, changes)
        for callid in changes.calls:
            call = state.calls.get(callid)
            if call is None or call.state is CallState.ENDED:
                self.calls.discard(callid)
            else:
                self.calls.add(callid)

    def _note_roster(self, state: FloorState, changes: Changes) -> None:
        for extension in changes.agents:
            agent = state.agents.get(extension)
            if agent is None or agent.told:
                self.agents.discard(extension)
            else:
                self.agents.add(extension)
        for queue_id in changes.queues:
            queue = state.queues.get(queue_id)
            if queue is None or queue.told:
                self.queues.discard(queue_id)
            else:
                self.queues.add(queue_id)


def over(caps: Caps, grown: Grown, state: FloorState, event: events.Event) -> str:
    """Of what there would be too many if this webhook were applied; "" if of nothing."""
    if len(grown.agents) >= caps.agents and _is_new(getattr(event, "extension", ""), state.agents):
        return AGENTS
    if len(grown.queues) >= caps.queues and _is_new(getattr(event, "queue", ""), state.queues):
        return QUEUES
    callid = getattr(event, "callid", "")
    return _over_calls(caps, grown, state, event, callid) if callid else ""


def _is_new(name: str, known: Container[str]) -> bool:
    return bool(name) and name not in known


def _over_calls(
    caps: Caps, grown: Grown, state: FloorState, event: events.Event, callid: str
) -> str:
    call = state.calls.get(callid)
    if call is not None:
        told = len(call.visits) + len(call.records)
        is_full = told >= caps.reports and not isinstance(event, events.CallEnded)
        return REPORTS if is_full or _over_legs(caps, call, event) else ""
    if callid in state.tombstones:
        return ""
    begins = not isinstance(event, ENDINGS)
    too_many = len(state.calls) >= caps.remembered or (begins and len(grown.calls) >= caps.calls)
    return CALLS if too_many else ""


def _over_legs(caps: Caps, call: Call, event: events.Event) -> bool:
    if len(call.legs) < caps.legs or isinstance(event, ENDINGS):
        return False
    return _is_new(getattr(event, "extension", ""), call.legs)
