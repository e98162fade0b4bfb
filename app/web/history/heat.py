"""The week as a heat map: weekday × hour over four weeks, each cell an average or a share."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from app.history.counts import Counts
from app.history.days import DayBook, HeatMap, shared_settings
from app.sentences import Sentence
from app.web.forms import FormProblem
from app.web.history.looking import Looker

METRICS = ("offered", "abandon_rate", "service_level")
HEAT_DAYS = 28
# Shades of a cell: 0 is nothing, 6 the most.
SHADES = 6


@dataclass(frozen=True, slots=True)
class Cell:
    """`value` None: nothing to show. `shade` from 0 to SHADES, higher is more to look at."""

    value: float | None
    shade: int


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One weekday, Monday = 0, of which `days` were counted."""

    weekday: int
    days: int
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Heat:
    """From `first` to `last`; only hours in which anything was offered."""

    metric: str
    first: date
    last: date
    hours: list[int]
    rows: list[HeatRow]


async def heat_of(
    looker: Looker, book: DayBook, when: date, only: Sequence[str] | None, metric: str
) -> Heat:
    """The weeks up to that day. Raises FormProblem for no such metric."""
    if metric not in METRICS:
        why = Sentence("The metric is one of: {metrics}.", metrics=", ".join(METRICS))
        raise FormProblem(why)
    first, last = await _recorded(looker, book, when)
    heat = await book.heat_map(first, last, looker.queues, only)
    hours = sorted({hour for _, hour in heat.cells})
    hours = list(range(hours[0], hours[-1] + 1)) if hours else []
    variant, _ = shared_settings(looker.queues, looker.queues if only is None else only)
    values = {day: [_value(heat, day, hour, metric, variant) for hour in hours] for day in range(7)}
    most = max((one for row in values.values() for one in row if one is not None), default=0.0)
    rows = [
        HeatRow(day, _days_seen(heat, day), [_cell(one, most, metric) for one in row])
        for day, row in values.items()
    ]
    return Heat(metric, first, last, hours, rows)


async def _recorded(looker: Looker, book: DayBook, when: date) -> tuple[date, date]:
    """Four weeks, cut to whole days of which something is recorded."""
    last = min(when, looker.today - timedelta(days=1))
    first = last - timedelta(days=HEAT_DAYS - 1)
    known, _ = await book.known(looker.days.begins(first), looker.days.begins(when) + 1)
    began = looker.days.of(known)
    # With a first day only, that day is better than nothing.
    return (began, max(last, began)) if began <= when else (first, last)


def _days_seen(heat: HeatMap, weekday: int) -> int:
    return max((n for (day, _), n in heat.seen.items() if day == weekday), default=0)


def _value(heat: HeatMap, weekday: int, hour: int, metric: str, variant: str) -> float | None:
    counts = heat.cells.get((weekday, hour), Counts())
    figures = counts.figures(variant, 0)
    if metric == "offered":
        seen = heat.seen.get((weekday, hour), 0)
        return figures.offered / seen if seen else None
    return figures.abandon_rate if metric == "abandon_rate" else figures.service_level


def _cell(value: float | None, most: float, metric: str) -> Cell:
    """A low service level is what to look at; of all else, what is high."""
    if value is None:
        return Cell(None, 0)
    share = 1 - value if metric == "service_level" else value / most if most else 0.0
    if metric == "abandon_rate":
        share = min(1.0, value / 0.2)
    return Cell(value, min(SHADES, -int(-share * SHADES // 1)))
