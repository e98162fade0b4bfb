"""The limits by which a figure is good or bad and a state is young or old: all of them, here."""

from dataclasses import dataclass

# From how many seconds on something looks older, step by step; a pause grows old slowly, a ring
# within half a minute.
AGES: dict[str, tuple[int, ...]] = {
    "on": (60, 300, 900),
    "ring": (10, 20, 40),
    "talk": (60, 300, 900),
    "pause": (300, 900, 1800),
    "off": (),
}


@dataclass(frozen=True, slots=True)
class Targets:
    """What a floor aims at: at most so many callers wait, at most so many abandons are not called
    back, at least so many agents are free, at least this service level (in percent).

    The longest wait has no target of its own: it is the T of the service level.
    """

    waiting: int = 5
    level: int = 80
    free: int = 1
    callbacks: int = 0


def wait_ages(service_level_s: int) -> tuple[int, int, int]:
    """When a wait looks older: at half of T, at T, at three times T."""
    return (service_level_s // 2, service_level_s, 3 * service_level_s)
