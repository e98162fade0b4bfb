"""The things of the exchange: phones with their agents, queues, calls and who takes part in them.

Times are simulated seconds since the epoch. No behaviour beyond what a thing knows of itself.
"""

from dataclasses import dataclass, field
from typing import Literal

from app.simulator.engine import Timer

Role = Literal["queue", "direct", "transfer", "consult", "click", "outbound"]
Pauser = Literal["", "agent", "queue", "supervisor"]
Strategy = Literal["ring-all", "round-robin"]


@dataclass(slots=True)
class Leg:
    """One phone's part in one call. `talked_from` is None while the phone rings."""

    extension: str
    role: Role
    since: float
    talked_from: float | None = None

    @property
    def talks(self) -> bool:
        return self.talked_from is not None


@dataclass(slots=True)
class Agent:
    """A phone and whose it is. `word` is the status the PBX last pushed: off on pause ring talk."""

    extension: str
    name: str
    queues: tuple[str, ...] = ()
    answers_by_itself: bool = False
    logged_in: bool = False
    registered: bool = True
    paused: bool = False
    paused_by: Pauser = ""
    word: str = "off"
    legs: dict[str, Leg] = field(default_factory=dict)
    answered: int = 0
    direct: int = 0
    missed: int = 0
    outbound: int = 0
    talk: float = 0.0

    @property
    def talks(self) -> bool:
        return any(leg.talks for leg in self.legs.values())

    def status(self) -> str:
        """What the PBX calls the phone now. A log-off wins even over a call that goes on."""
        if not self.logged_in:
            return "off"
        if self.legs:
            return "talk" if self.talks else "ring"
        if not self.registered:
            return "off"
        return "pause" if self.paused else "on"


@dataclass(slots=True)
class Segment:
    """A stretch of a call that has a call record of its own: who talked, from when to when."""

    extension: str
    start: float
    end: float | None = None


@dataclass(slots=True)
class Call:
    """A customer's call. `agent` is who talked first, the one whom the call record names."""

    callid: str
    direction: Literal["Inbound", "Outbound"]
    phone: str
    did: str
    started: float
    queue: str = ""
    entered: float = 0.0
    answered: float | None = None
    agent: str = ""
    legs: dict[str, Leg] = field(default_factory=dict)
    segments: list[Segment] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)
    round: Timer | None = None
    waits: bool = False
    rests: bool = False
    moved: bool = False
    announced: bool = True
    ended: bool = False

    def talker(self) -> Leg | None:
        return next((leg for leg in self.legs.values() if leg.talks), None)

    def ringing(self) -> list[Leg]:
        return [leg for leg in self.legs.values() if not leg.talks]

    def cancel_timers(self) -> None:
        for timer in self.timers:
            timer.cancel()
        self.timers.clear()


@dataclass(slots=True)
class Tally:
    """What really happened in a queue since the start; `holds` and `talk` are sums in seconds."""

    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    otherwise: int = 0
    holds: float = 0.0
    talk: float = 0.0


@dataclass(slots=True)
class Queue:
    """`timeout` is a round of ringing, `retry` the rest after it, `limit` when callers overflow."""

    number: str
    name: str
    did: str
    strategy: Strategy = "ring-all"
    timeout: float = 15.0
    retry: float = 3.0
    limit: float = 0.0
    overflow: str = ""
    autopause: bool = False
    members: list[str] = field(default_factory=list)
    idle: dict[str, None] = field(default_factory=dict)
    waiting: dict[str, Call] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
