"""How people on a floor behave, in numbers. Shares are 0 to 1, spans simulated seconds."""

import math
import random
from dataclasses import dataclass

# Hazard of giving up per second of waiting, by how long one has waited: measured on real callers.
PATIENCE = (
    (5, 0.0022),
    (15, 0.0050),
    (30, 0.0030),
    (60, 0.0029),
    (90, 0.0027),
    (180, 0.0019),
    (300, 0.0015),
    (900, 0.0013),
)


@dataclass(frozen=True, slots=True)
class Habits:
    talk: float = 115.0
    wrap: float = 15.0
    answers_after: float = 3.5
    no_answer: float = 0.04
    declines: float = 0.01
    wraps_up: float = 0.6
    blind_transfers: float = 0.03
    attended_transfers: float = 0.02
    leaves_mid_call: float = 0.3
    calls_back: float = 0.4
    calls_direct: float = 0.03
    short_calls: float = 0.05
    pauses_per_hour: float = 1.1
    pause: float = 330.0
    outbound_per_hour: float = 1.5
    unregisters_per_hour: float = 0.03
    shift: tuple[float, float] = (5400.0, 18000.0)
    away: tuple[float, float] = (600.0, 1800.0)
    supervisor_pause: float = 600.0
    hurry: float = 2.0


def around(chance: random.Random, mean: float, sigma: float) -> float:
    """A lognormal span with that mean."""
    return chance.lognormvariate(math.log(mean) - sigma * sigma / 2, sigma)


def talk_span(chance: random.Random, habits: Habits) -> float:
    if chance.random() < habits.short_calls:
        return chance.uniform(2.0, 9.0)
    return min(max(around(chance, habits.talk, 0.55), 15.0), 1800.0)


def patience(chance: random.Random, hurry: float) -> float:
    """How long a caller waits; `hurry` 2 gives up twice as readily as those who were measured."""
    low = 0.0
    for high, hazard in PATIENCE:
        span = chance.expovariate(hazard * hurry)
        if span < high - low:
            return low + span
        low = float(high)
    return low + chance.expovariate(PATIENCE[-1][1] * hurry)
