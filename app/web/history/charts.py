"""A day as numbers for the charts: one point per quarter, null where nothing is known."""

from collections.abc import Callable, Iterable

import msgspec
from markupsafe import Markup

from app.domain.view import Figures
from app.history.days import Day, Slot
from app.web.history.looking import Looker

Series = list[float | None]
EDGE = 4

READ: dict[str, Callable[[Figures], float | None]] = {
    "offered": lambda figures: figures.offered,
    "answered": lambda figures: figures.answered,
    "abandoned": lambda figures: figures.abandoned,
    "otherwise": lambda figures: figures.otherwise,
    "level": lambda figures: _percent(figures.service_level),
    "asa": lambda figures: figures.asa_s,
    "longest": lambda figures: figures.max_wait_s,
}


def chart_json(looker: Looker, day: Day, before: Day | None) -> Markup:
    """What the page's script draws. Times are seconds since the epoch; unknown is null."""
    first, last = _window(day, before)
    slots = day.slots[first:last]
    value = {
        "zone": str(looker.days.zone),
        "x": [slot.at // 1000 for slot in slots],
        "day": {name: _series(day, slots, read) for name, read in READ.items()},
        "before": _before(before, first, last),
        "gaps": [[gap.began // 1000, gap.ended // 1000, gap.kind] for gap in _blind(day)],
        "t": day.t,
    }
    # Inside a script element only "<" could end it, and only as text.
    return Markup(msgspec.json.encode(value).decode().replace("<", "\\u003c"))  # noqa: S704 (JSON, without "<")


def _series(day: Day, slots: Iterable[Slot], read: Callable[[Figures], float | None]) -> Series:
    return [
        None if slot.counts is None else read(slot.counts.figures(day.variant, day.t))
        for slot in slots
    ]


def _before(before: Day | None, first: int, last: int) -> dict[str, Series]:
    if before is None:
        return {}
    slots = before.slots[first:last]
    return {name: _series(before, slots, READ[name]) for name in ("offered", "level", "asa")}


def _window(day: Day, before: Day | None) -> tuple[int, int]:
    """The part of the day in which anything happened, an hour wider on both sides."""
    busy = [
        number
        for each in (day, before)
        if each is not None
        for number, slot in enumerate(each.slots)
        if slot.counts is not None and slot.counts.figures(day.variant, day.t).offered
    ]
    if not busy:
        return 0, len(day.slots)
    return max(0, min(busy) - EDGE), min(len(day.slots), max(busy) + 1 + EDGE)


def _blind(day: Day) -> Iterable["_Span"]:
    """Gaps, and what lies before the first and after the last record."""
    spans = [_Span(gap.began, gap.ended, gap.kind) for gap in day.gaps]
    first, last = day.known
    if first > day.began:
        spans.append(_Span(day.began, first, "unknown"))
    if last < day.ended:
        spans.append(_Span(last, day.ended, "unknown"))
    return spans


class _Span(msgspec.Struct, frozen=True):
    began: int
    ended: int
    kind: str


def _percent(share: float | None) -> float | None:
    return None if share is None else round(share * 100, 1)
