"""The figures, read from raw counts: one pure function each, with its formula.

A = answered, A_T = answered within T, B = abandoned, B_s = abandoned within s (short), B_T =
abandoned within T, O = otherwise ended. T and s are seconds, "within" includes the limit itself.
Ratios are None where nothing stands below the line. Totals add counts, never percentages.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from app.domain.books import MINUTE
from app.domain.expiry import merge
from app.domain.model import Queue, Tally
from app.domain.view import Figures

TENTHS = 10
USUAL = Queue("")


def within(waits: dict[int, int], limit_s: int) -> int:
    """How many of the waits ({tenths of a second: count}) are at most `limit_s`."""
    return sum(count for wait, count in waits.items() if wait <= limit_s * TENTHS)


def ratio(part: float, whole: float) -> float | None:
    """part ÷ whole, None where there is no whole."""
    return part / whole if whole > 0 else None


# Service level: (A, A_T, B, B_s, B_T) → ratio. ICMI, "Service Level Calculations" (2005), has
# 1000, 860, 60, 10, 20 → 86.0, 81.1, 83.0, 81.9 %.
VARIANTS: dict[str, Callable[[int, int, int, int, int], float | None]] = {
    "answered": lambda a, a_t, b, b_s, b_t: ratio(a_t, a),
    "offered": lambda a, a_t, b, b_s, b_t: ratio(a_t, a + b),
    "abandon_positive": lambda a, a_t, b, b_s, b_t: ratio(a_t + b_t, a + b),
    "short_ignored": lambda a, a_t, b, b_s, b_t: ratio(a_t, a + b - b_s),
}


def asa_s(tally: Tally) -> float | None:
    """Average speed of answer: Σ wait of answered ÷ A."""
    return ratio(tally.wait_ms / 1000, sum(tally.answered.values()))


def aht_s(tally: Tally) -> float | None:
    """Average handling time: Σ talk ÷ answered calls whose talk is over and known."""
    return ratio(tally.talk_ms / 1000, tally.talked)


@dataclass(frozen=True, slots=True)
class Counted:
    """What the figures need of one tally, judged by its T and s: sums that can be added up."""

    answered: int
    abandoned: int
    otherwise: int
    in_t: int
    short: int
    quick: int
    wait_ms: int
    talk_ms: int
    talked: int
    longest: int | None


def counted(tally: Tally, t: int, s: int) -> Counted:
    """The sums of one tally with T = `t` and short = `s` seconds."""
    return Counted(
        answered=sum(tally.answered.values()),
        abandoned=sum(tally.abandoned.values()),
        otherwise=tally.otherwise,
        in_t=within(tally.answered, t),
        short=within(tally.abandoned, s),
        quick=within(tally.abandoned, t),
        wait_ms=tally.wait_ms,
        talk_ms=tally.talk_ms,
        talked=tally.talked,
        longest=max(
            (max(waits) for waits in (tally.answered, tally.abandoned) if waits), default=None
        ),
    )


def figures_of(tally: Tally, t: int, s: int, variant: str) -> Figures:
    """All figures of one tally with T = `t` and short = `s` seconds."""
    return figures_from([counted(tally, t, s)], variant, t)


def queue_figures(queue: Queue) -> Figures:
    """A queue's figures of today, with its own T, short-abandon limit and variant."""
    return figures_of(queue.today, queue.service_level_s, queue.short_abandon_s, queue.variant)


def window_figures(queues: Iterable[Queue], minutes: int, now: int) -> Figures:
    """The same for the visits that arrived in the last so many minutes before `now` (ms).

    An hour at most; several queues together as in `total_figures`.
    """
    return _together(queues, lambda queue: _arrived(queue, minutes, now))


def total_figures(queues: Iterable[Queue]) -> Figures:
    """All queues together; each queue's calls are judged by that queue's own T and limit."""
    return _together(queues, lambda queue: queue.today)


def _together(queues: Iterable[Queue], tally: Callable[[Queue], Tally]) -> Figures:
    known = list(queues)
    rows = [counted(tally(one), one.service_level_s, one.short_abandon_s) for one in known]
    return figures_from(rows, *variant_of(known))


def _arrived(queue: Queue, minutes: int, now: int) -> Tally:
    since, tally = now // MINUTE - minutes, Tally()
    for minute, counts in queue.minutes.items():
        if minute > since:
            merge(tally, counts)
    return tally


def variant_of(queues: Iterable[Queue]) -> tuple[str, int | None]:
    """The variant and T that all these queues share; where they differ, the usual variant, no T."""
    known = list(queues) or [USUAL]
    variants, limits = {one.variant for one in known}, {one.service_level_s for one in known}
    variant = variants.pop() if len(variants) == 1 else USUAL.variant
    return variant, limits.pop() if len(limits) == 1 else None


def figures_from(rows: Sequence[Counted], variant: str, t: int | None) -> Figures:
    """All figures of these sums together; `t` is only named, None where each row had its own."""
    answered, abandoned = sum(row.answered for row in rows), sum(row.abandoned for row in rows)
    in_t, short = sum(row.in_t for row in rows), sum(row.short for row in rows)
    quick, otherwise = sum(row.quick for row in rows), sum(row.otherwise for row in rows)
    whole = Tally(
        wait_ms=sum(row.wait_ms for row in rows),
        talk_ms=sum(row.talk_ms for row in rows),
        talked=sum(row.talked for row in rows),
        answered={0: answered},
    )
    offered = answered + abandoned + otherwise
    longest = max((row.longest for row in rows if row.longest is not None), default=None)
    return Figures(
        offered=offered,
        answered=answered,
        abandoned=abandoned,
        abandoned_short=short,
        otherwise=otherwise,
        answered_in_t=in_t,
        service_level=VARIANTS[variant](answered, in_t, abandoned, short, quick),
        service_level_s=t,
        service_level_variant=variant,
        abandon_rate=ratio(abandoned, offered),
        abandon_rate_strict=ratio(abandoned - short, offered - short),
        asa_s=asa_s(whole),
        aht_s=aht_s(whole),
        max_wait_s=None if longest is None else longest / TENTHS,
    )


def occupancy(talk_ms: int, on_ms: int) -> float | None:
    """talk ÷ (talk + on)."""
    return ratio(talk_ms, talk_ms + on_ms)
