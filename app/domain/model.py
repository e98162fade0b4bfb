"""The floor's state as plain data: agents, calls with their legs and visits, and nothing that acts.

Everything here goes into a snapshot and comes back equal, so: dataclasses of plain types only.
Times are milliseconds since the epoch, UTC; None means "not (yet)".
"""

from dataclasses import dataclass, field

from app.domain.command import Command
from app.domain.rules import Alarm, AlarmEntry, AlarmRule, Shelf
from app.domain.states import CallState, Direction, LegState, Outcome, Status


@dataclass(slots=True)
class Leg:
    """One agent's part in one call."""

    state: LegState
    since: int
    queue: str = ""
    # This round of ringing already ended with "no answer".
    missed: bool = False
    answered_at: int | None = None
    ended_at: int | None = None
    # When the phone last said that it is free while this leg still talks.
    phone_left_at: int | None = None


@dataclass(slots=True)
class Booking:
    """What one visit adds to the counts: minute of arrival, outcome, wait and talk (ms).

    Never changed; but each report makes one, and freezing it would take twice as long as that.
    """

    queue: str
    minute: int
    outcome: Outcome
    wait_ms: int = 0
    talk_ms: int | None = None
    agent: str = ""


@dataclass(slots=True)
class Visit:
    """One stay of a call in a queue: the unit of queue statistics."""

    queue: str
    seen_at: int
    touched_at: int
    outcome: Outcome = Outcome.OPEN
    answered_at: int | None = None
    agent: str = ""
    left_at: int | None = None
    # The PBX's own figure for an abandoned wait, in seconds.
    holdtime: int | None = None
    talk_ms: int | None = None
    # Opened by a ring so soon after an answer or an abandon that it may be a late copy.
    echo: bool = False
    # The answer was heard of after the end of the call: its time says nothing.
    late: bool = False
    # We concluded the outcome ourselves; the PBX's word replaces it.
    inferred: bool = False
    booked: Booking | None = None


@dataclass(slots=True)
class CallRecord:
    """What a call detail record claimed. Spans in seconds."""

    status: str
    extension: str = ""
    started: int | None = None
    duration: int | None = None
    billsec: int | None = None
    recording: str = ""


@dataclass(slots=True)
class Call:
    """One call, from first sight until it is forgotten some time after its end."""

    callid: str
    direction: Direction
    state: CallState
    first_seen: int
    since: int
    heard_at: int
    phone: str = ""
    did: str = ""
    legs: dict[str, Leg] = field(default_factory=dict)
    visits: list[Visit] = field(default_factory=list)
    records: list[CallRecord] = field(default_factory=list)
    answered_at: int | None = None
    ended_at: int | None = None
    # Closed by us because the PBX's words about it can't be true any more.
    lost: bool = False
    in_doubt: bool = False
    # What was seen is booked: a minute has passed since the end.
    settled: bool = False
    # Known from its record alone, which may count for today.
    counts: bool = True


@dataclass(slots=True)
class AgentDay:
    """An agent's counters since the business day began. Milliseconds in each status."""

    answered: int = 0
    missed: int = 0
    outbound: int = 0
    direct: int = 0
    queue_talk_ms: int = 0
    status_ms: dict[Status, int] = field(default_factory=dict)


@dataclass(slots=True)
class Listening:
    """A supervisor who is connected to this agent's call."""

    supervisor: str
    callid: str
    mode: str
    since: int
    phone: str = ""


@dataclass(slots=True)
class Agent:
    """One extension: the mode, what the PBX last claimed of the phone, and its legs (by callid)."""

    extension: str
    status: Status
    since: int
    mode: Status
    phone: Status
    phone_at: int
    legs: list[str] = field(default_factory=list)
    queues: list[str] = field(default_factory=list)
    name: str = ""
    team: str = ""
    # Not only discovered: an administrator, or the PBX when asked, told of it.
    told: bool = False
    never_listen: bool = False
    # The contradiction between phone and legs that is not settled began then.
    doubt_since: int | None = None
    in_doubt: bool = False
    verified_at: int | None = None
    accrued_at: int = 0
    day: AgentDay = field(default_factory=AgentDay)
    pause_reason: str = ""
    pause_until: int | None = None
    pause_by: str = ""
    pause_wanted: bool = False
    listeners: list[Listening] = field(default_factory=list)


@dataclass(slots=True)
class Tally:
    """Raw counts of the visits that arrived in one span of time; every figure is read from these.

    Waits are counted in tenths of a second: {wait: how many}.
    """

    answered: dict[int, int] = field(default_factory=dict)
    abandoned: dict[int, int] = field(default_factory=dict)
    otherwise: int = 0
    wait_ms: int = 0
    talk_ms: int = 0
    talked: int = 0


@dataclass(slots=True)
class Queue:
    """One queue: its settings, its day and its last hour (minute of arrival → counts)."""

    queue: str
    name: str = ""
    told: bool = False
    service_level_s: int = 20
    short_abandon_s: int = 5
    variant: str = "short_ignored"
    today: Tally = field(default_factory=Tally)
    minutes: dict[int, Tally] = field(default_factory=dict)


@dataclass(slots=True)
class Abandon:
    """A caller who gave up, for the board. `exact`: the wait is the PBX's own figure.

    `called_back`: somebody calls back or closed the case. `reached`: somebody talked with the
    caller since, in whichever call.
    """

    callid: str
    queue: str
    phone: str
    at: int
    waited_s: int
    exact: bool
    called_back: bool = False
    reached: bool = False


@dataclass(slots=True)
class Webhooks:
    """Requests that became events, since the log began."""

    accepted: int = 0
    flagged: int = 0
    last_at: int | None = None


@dataclass(slots=True)
class Repair:
    """One difference between floor and PBX that was put right; `source` is what was asked."""

    at: int
    extension: str
    before: str
    after: str
    source: str


@dataclass(slots=True)
class Reconciled:
    """The last round of questions to the PBX."""

    at: int | None = None
    agreed_at: int | None = None
    phones: int = 0
    repairs_today: int = 0
    error: str = ""


@dataclass(slots=True)
class Billing:
    """What this PBX means by billsec, learned from its records: talk alone, or the wait as well."""

    talk_only: int = 0
    whole_call: int = 0

    @property
    def exact(self) -> bool:
        """billsec is the talk, so duration - billsec is the wait."""
        return self.talk_only > 0 and self.talk_only > 20 * self.whole_call


@dataclass(slots=True)
class FloorState:
    """All of it, as one value."""

    seq: int = 0
    at: int = 0
    day: str = ""
    # The business day in ms: [day_began, day_ends).
    day_began: int = 0
    day_ends: int = 0
    agents: dict[str, Agent] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    queues: dict[str, Queue] = field(default_factory=dict)
    abandons: list[Abandon] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    # Calls that ended long enough ago: callid → when. A late copy must not bring them back.
    tombstones: dict[str, int] = field(default_factory=dict)
    webhooks: Webhooks = field(default_factory=Webhooks)
    # Of what there would be too many → how many webhooks of today are not on the floor for that.
    overflow: dict[str, int] = field(default_factory=dict)
    reconciled: Reconciled = field(default_factory=Reconciled)
    repairs: list[Repair] = field(default_factory=list)
    billing: Billing = field(default_factory=Billing)
    alarm_rules: dict[str, AlarmRule] = field(default_factory=dict)
    # Somebody (or the first start) set rules; until then there may be none.
    alarms_chosen: bool = False
    alarms: dict[str, Alarm] = field(default_factory=dict)
    alarm_shelves: dict[str, Shelf] = field(default_factory=dict)
    # The newest lines, in order.
    alarm_log: list[AlarmEntry] = field(default_factory=list)
    # The newest owner that has written, and its name; 0 where one node serves the site.
    epoch: int = 0
    owner: str = ""
    # The last minute's, in order.
    commands: dict[str, Command] = field(default_factory=dict)
