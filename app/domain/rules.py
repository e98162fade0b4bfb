"""Alarms as plain data: the rules that people set, the alarms that stand, and what happened."""

from dataclasses import dataclass, field
from enum import IntEnum


class Level(IntEnum):
    """How bad it is; the order counts."""

    NONE = 0
    WARNING = 1
    CRITICAL = 2


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """One metric of each queue, team, agent or of the floor, and when it is bad.

    `scope` narrows queue metrics to a queue, team and agent metrics to a team. Limits are in the
    metric's unit and bad is what is beyond them; None: no such level. `dead_band`: how far back
    over the limit the value must come before the level ends. `least`: how many calls must have
    been offered before a percentage means anything. Hours are minutes of the local day, from = to
    means all day; `weekdays` are 1 (Monday) to 7, none means every day. `repeat_s` 0: never again.
    """

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

    def limit(self, level: Level) -> float | None:
        """The limit of a level."""
        return {Level.WARNING: self.warning, Level.CRITICAL: self.critical}.get(level)


@dataclass(slots=True)
class Latch:
    """A level that is on or off, and since when (ms) the value says otherwise."""

    is_on: bool = False
    turning_since: int | None = None


@dataclass(slots=True)
class Alarm:
    """A condition that holds, or will when the rule's delay is over. Times in ms.

    `level` is what was spoken; NONE while it only waits. `peak` is the worst that it was.
    `value` was true at `judged_at`. `spoken_at` is when it last called for attention.
    """

    key: str
    rule: str
    metric: str
    subject: str
    level: Level = Level.NONE
    peak: Level = Level.NONE
    warning: Latch = field(default_factory=Latch)
    critical: Latch = field(default_factory=Latch)
    value: float | None = None
    judged_at: int = 0
    raised_at: int | None = None
    spoken_at: int | None = None
    acknowledged_at: int | None = None
    acknowledged_by: str = ""


@dataclass(slots=True)
class Shelf:
    """Silence for one alarm until then, whether or not it clears and comes back meanwhile."""

    until: int
    by: str


@dataclass(slots=True)
class AlarmEntry:
    """One line of the alarm log. `number` counts up for ever; `level` is the alarm's then.

    `what`: raised, repeated, eased, acknowledged, shelved, returned or cleared. `told` says which
    channels were told of it (by their ids) and what went wrong there, "" for nothing.
    """

    number: int
    at: int
    key: str
    rule: str
    metric: str
    subject: str
    level: Level
    what: str
    value: float | None = None
    by: str = ""
    until: int | None = None
    told: dict[str, str] = field(default_factory=dict)
