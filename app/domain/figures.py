"""The figures, read from raw counts: one pure function each, with its formula.

A = answered, A_T = answered within T, B = abandoned, B_s = abandoned within s (short), B_T =
abandoned within T, O = otherwise ended. T and s are seconds, "within" includes the limit itself.
Ratios are None where nothing stands below the line. Totals add counts, never percentages.
"""

from collections.abc import Callable, Iterable

from app.domain.books import MINUTE
from app.domain.expiry import merge
from app.domain.model import Queue, Tally
from app.domain.view import Figures

TENTHS = 10


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


def figures_of(tally: Tally, t: int, s: int, variant: str) -> Figures:
    """All figures of one tally with T = `t` and short = `s` seconds."""
    return _figures([(tally, t, s)], variant, t)


def queue_figures(queue: Queue) -> Figures:
    """A queue's figures of today, with its own T, short-abandon limit and variant."""
    return figures_of(queue.today, queue.service_level_s, queue.short_abandon_s, queue.variant)


def window_figures(queue: Queue, minutes: int, now: int) -> Figures:
    """The same for the visits that arrived in the last so many minutes before `now` (ms)."""
    since, tally = now // MINUTE - minutes, Tally()
    for minute, counts in queue.minutes.items():
        if minute > since:
            merge(tally, counts)
    return figures_of(tally, queue.service_level_s, queue.short_abandon_s, queue.variant)


def total_figures(queues: Iterable[Queue]) -> Figures:
    """All queues together; each queue's calls are judged by that queue's own T and limit."""
    rows = [(queue.today, queue.service_level_s, queue.short_abandon_s) for queue in queues]
    variants = {queue.variant for queue in queues}
    limits = {t for _, t, _ in rows}
    variant = variants.pop() if len(variants) == 1 else "short_ignored"
    return _figures(rows, variant, limits.pop() if len(limits) == 1 else 20)


def _figures(rows: list[tuple[Tally, int, int]], variant: str, t: int) -> Figures:
    answered = sum(sum(tally.answered.values()) for tally, _, _ in rows)
    abandoned = sum(sum(tally.abandoned.values()) for tally, _, _ in rows)
    otherwise = sum(tally.otherwise for tally, _, _ in rows)
    in_t = sum(within(tally.answered, limit) for tally, limit, _ in rows)
    short = sum(within(tally.abandoned, limit) for tally, _, limit in rows)
    quick = sum(within(tally.abandoned, limit) for tally, limit, _ in rows)
    whole = Tally(
        wait_ms=sum(tally.wait_ms for tally, _, _ in rows),
        talk_ms=sum(tally.talk_ms for tally, _, _ in rows),
        talked=sum(tally.talked for tally, _, _ in rows),
        answered={0: answered},
    )
    offered = answered + abandoned + otherwise
    longest = [
        max(waits) for tally, _, _ in rows for waits in (tally.answered, tally.abandoned) if waits
    ]
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
        max_wait_s=max(longest) / TENTHS if longest else None,
    )


def occupancy(talk_ms: int, on_ms: int) -> float | None:
    """talk ÷ (talk + on)."""
    return ratio(talk_ms, talk_ms + on_ms)
