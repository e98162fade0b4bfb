"""What can happen on a floor. Everything that changes it is one of these, and is in the log.

Values only: an event knows neither when it happened (the log stamps that) nor what follows from it.
Empty text means "not told". Times are milliseconds since the Unix epoch, UTC; spans are seconds.
"""

from dataclasses import dataclass

from app.domain.event import Event as Event
from app.domain.owner_events import CommandClaimed as CommandClaimed
from app.domain.owner_events import CommandRequested as CommandRequested
from app.domain.owner_events import CommandResult as CommandResult
from app.domain.owner_events import CommandWithdrawn as CommandWithdrawn
from app.domain.owner_events import OwnershipTaken as OwnershipTaken


@dataclass(frozen=True, kw_only=True)
class CallRinging(Event):
    """An inbound call rings at `extension`; without one it waits and nobody's phone rings yet."""

    callid: str
    extension: str = ""
    queue: str = ""
    phone: str = ""
    did: str = ""


@dataclass(frozen=True, kw_only=True)
class CallAnswered(Event):
    """An inbound call was answered at `extension`."""

    callid: str
    extension: str
    queue: str = ""
    phone: str = ""
    did: str = ""


@dataclass(frozen=True, kw_only=True)
class CallEnded(Event):
    """The call is over; nothing is said about how."""

    callid: str


@dataclass(frozen=True, kw_only=True)
class CallAbandoned(Event):
    """The caller left `queue` unanswered after `holdtime` seconds (None: not told)."""

    callid: str
    queue: str
    phone: str = ""
    extension: str = ""
    holdtime: int | None = None
    started: int | None = None


@dataclass(frozen=True, kw_only=True)
class RingMissed(Event):
    """`extension` let a queue call ring out; the caller still waits."""

    callid: str
    extension: str
    queue: str = ""
    phone: str = ""


@dataclass(frozen=True, kw_only=True)
class CallRecorded(Event):
    """The PBX's record of a finished call: a claim for the books, never live state.

    `status` is the PBX's word in capitals (ANSWER, BUSY, NO ANSWER …), `direction` is inbound,
    outbound or empty, `duration` the whole call and `billsec` the talk, both in seconds. `fetched`:
    it answers a question of ours, no webhook brought it.
    """

    callid: str
    status: str
    extension: str = ""
    phone: str = ""
    did: str = ""
    direction: str = ""
    started: int | None = None
    duration: int | None = None
    billsec: int | None = None
    recording: str = ""
    fetched: bool = False


@dataclass(frozen=True, kw_only=True)
class OutboundRinging(Event):
    """`extension` calls `phone`, whose phone rings."""

    callid: str
    extension: str
    phone: str = ""


@dataclass(frozen=True, kw_only=True)
class OutboundAnswered(Event):
    """`phone` answered the call of `extension`."""

    callid: str
    extension: str
    phone: str = ""


@dataclass(frozen=True, kw_only=True)
class PhoneReported(Event):
    """The PBX pushed a phone's status: off, on, pause, ring or talk."""

    extension: str
    status: str


@dataclass(frozen=True, kw_only=True)
class PhoneVerified(Event):
    """The PBX answered, when asked, what a phone does; None where it said nothing of it."""

    extension: str
    status: str | None = None
    paused: bool | None = None
    queues: tuple[str, ...] | None = None
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class PbxAsked(Event):
    """A round of questions to the PBX ended: of how many phones it spoke, or why it did not."""

    phones: int = 0
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class AgentNamed(Event):
    """An administrator described an agent."""

    extension: str
    name: str = ""
    team: str = ""
    never_listen: bool = False


@dataclass(frozen=True, kw_only=True)
class QueueNamed(Event):
    """An administrator described a queue: its name, T and the short-abandon limit in seconds."""

    queue: str
    name: str = ""
    service_level_s: int = 20
    short_abandon_s: int = 5
    variant: str = "short_ignored"


@dataclass(frozen=True, kw_only=True)
class PauseNoted(Event):
    """Why and until when an agent is paused; the PBX has no field for it. Empty reason: cleared.

    `paused`: what the PBX accepted just now. It reports that by itself only when no call is on.
    """

    extension: str
    reason: str = ""
    until: int | None = None
    by: str = ""
    paused: bool | None = None


@dataclass(frozen=True, kw_only=True)
class PauseWanted(Event):
    """Pause this agent when the present call ends (or no longer, when `wanted` is false)."""

    extension: str
    wanted: bool = True
    reason: str = ""
    until: int | None = None
    by: str = ""


@dataclass(frozen=True, kw_only=True)
class ListenStarted(Event):
    """A supervisor is connected to an agent's call. `mode`: listen, whisper, barge or customer."""

    supervisor: str
    extension: str
    callid: str
    mode: str
    phone: str = ""


@dataclass(frozen=True, kw_only=True)
class ListenEnded(Event):
    """A supervisor's listening is over."""

    supervisor: str
    extension: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class CallBackPlaced(Event):
    """Somebody calls back the number that gave up in `callid`."""

    callid: str
    by: str


@dataclass(frozen=True, kw_only=True)
class AbandonClaimed(Event):
    """Somebody takes it on to call back whoever gave up in `callid`."""

    callid: str
    by: str


@dataclass(frozen=True, kw_only=True)
class AbandonReleased(Event):
    """Whoever took that on will not do it."""

    callid: str
    by: str


@dataclass(frozen=True, kw_only=True)
class AbandonClosed(Event):
    """Nobody needs to call back any more; a later call that is given up counts anew."""

    callid: str
    by: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class AlarmRuleSet(Event):
    """Somebody set an alarm's rule; the fields are those of `rules.AlarmRule`."""

    rule: str
    metric: str
    scope: str = ""
    warning: float | None = None
    critical: float | None = None
    dead_band: float = 0.0
    on_delay_s: int = 0
    off_delay_s: int = 0
    repeat_s: int = 0
    least: int = 0
    active_from: int = 0
    active_to: int = 0
    weekdays: tuple[int, ...] = ()
    enabled: bool = True
    by: str = ""


@dataclass(frozen=True, kw_only=True)
class AlarmRuleRemoved(Event):
    """Somebody removed an alarm's rule; what it raised ends."""

    rule: str
    by: str = ""


@dataclass(frozen=True, kw_only=True)
class AlarmAcknowledged(Event):
    """Somebody has seen the alarm of that key."""

    alarm: str
    by: str


@dataclass(frozen=True, kw_only=True)
class AlarmShelved(Event):
    """Somebody silenced the alarm of that key until then (ms)."""

    alarm: str
    until: int
    by: str


@dataclass(frozen=True, kw_only=True)
class AlarmSent(Event):
    """A channel was told of these lines of the alarm log; `error` says why it was not."""

    channel: str
    entries: tuple[int, ...]
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Tick(Event):
    """Time passed. Expiry, doubt, alarms and the change of day happen on ticks only."""
