"""The floor as a reader sees it: one frozen value per card, tile and row. Pages and API share them.

Numbers of callers are whole here; whoever renders for people masks them.
"""

from dataclasses import dataclass, field

from app.domain.model import Reconciled
from app.domain.states import Status


@dataclass(frozen=True, slots=True)
class AgentCard:
    """One agent. `since` is ms since the epoch; spans in `today` are seconds.

    `call_state` is waiting (rings) or answered; `other_call` means the phone talks or rings with no
    call we know (internal or hand-dialled). `listeners` are (supervisor, mode, since) rows.
    """

    extension: str
    name: str
    team: str
    status: Status
    since: int
    paused: bool
    in_doubt: bool
    other_call: bool
    queues: tuple[str, ...]
    calls: tuple[str, ...]
    phone: str
    queue: str
    direction: str
    answered: int
    missed: int
    outbound: int
    pause_reason: str
    pause_until: int | None
    pause_wanted: bool
    never_listen: bool
    listeners: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """A queue's (or all queues') figures of today; None where nothing was offered. In seconds.

    `service_level_s` is the T by which all was judged; None where each queue has its own.
    """

    offered: int
    answered: int
    abandoned: int
    abandoned_short: int
    otherwise: int
    answered_in_t: int
    service_level: float | None
    service_level_s: int | None
    service_level_variant: str
    abandon_rate: float | None
    abandon_rate_strict: float | None
    asa_s: float | None
    aht_s: float | None
    max_wait_s: float | None


@dataclass(frozen=True, slots=True)
class QueueTile:
    """One queue now and today. `oldest` is when its longest-waiting caller was first seen (ms)."""

    queue: str
    name: str
    waiting: int
    oldest: int | None
    talking: int
    agents: dict[Status, int]
    today: Figures


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A caller whom nobody has answered. `since` is first sight, ms: a lower bound of the wait."""

    callid: str
    queue: str
    phone: str
    did: str
    since: int
    ringing: tuple[str, ...]
    in_doubt: bool


@dataclass(frozen=True, slots=True)
class AbandonRow:
    """A caller who gave up."""

    callid: str
    queue: str
    phone: str
    at: int
    waited_s: int
    exact: bool
    called_back: bool
    reached: bool = False


@dataclass(frozen=True, slots=True)
class Totals:
    """The whole floor. `agents` counts per status; the figures are over all queues together.

    `oldest_t` is the T (s) of the queue in which the oldest waits. `to_call_back` are the callers
    who gave up today and whom nobody has called back or talked with since.
    """

    waiting: int
    oldest: int | None
    talking: int
    agents: dict[Status, int]
    in_doubt: int
    today: Figures
    to_call_back: int = 0
    reconciled: Reconciled = field(default_factory=Reconciled)
    oldest_t: int | None = None
