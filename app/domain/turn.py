"""One event being applied: the state it changes, the time it has, and what it leaves dirty."""

from dataclasses import dataclass, field

from app.domain.model import Call, FloorState
from app.domain.numbers import Numbers

SECOND = 1000
# A report may overtake the event that agrees with it by this much.
GRACE = 5 * SECOND
# A ring this soon after an answer or an abandon of the same queue may be a late copy.
ECHO = 10 * SECOND


@dataclass(slots=True)
class Changes:
    """What an event changed, by the readers' names: extensions, queue ids, parts of the page."""

    agents: set[str] = field(default_factory=set)
    queues: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    waiting: bool = False
    abandons: bool = False
    alarms: bool = False
    totals: bool = False
    # Agents or queues came, went, became known to the PBX or changed what they are sorted by.
    roster: bool = False
    beat: bool = False

    def add(self, other: "Changes") -> None:
        """Take the other's changes in as well."""
        self.agents |= other.agents
        self.queues |= other.queues
        self.calls |= other.calls
        self.waiting |= other.waiting
        self.abandons |= other.abandons
        self.alarms |= other.alarms
        self.totals |= other.totals
        self.roster |= other.roster
        self.beat |= other.beat


@dataclass(slots=True)
class Turn:
    """The state while one event is applied at `at` (ms); `numbers` is of the same state."""

    state: FloorState
    at: int
    numbers: Numbers
    changes: Changes = field(default_factory=Changes)

    def touch(self, call: Call) -> None:
        """This call changed: so did its agents' cards, its queues' tiles and the totals."""
        self.changes.calls.add(call.callid)
        self.changes.agents.update(call.legs)
        for visit in call.visits:
            if visit.queue:
                self.changes.queues.add(visit.queue)
        self.changes.waiting = self.changes.totals = True
