"""A day in quarters of an hour, the same weekday before, and a heat map of the week.

What the program did not see is a gap: its quarters have no figures, and nobody interpolates them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from app.database import Database
from app.domain.days import BusinessDay
from app.domain.figures import variant_of
from app.domain.model import Queue
from app.domain.view import Figures
from app.history.counts import COUNTED, Counts, limits_json, total
from app.history.tracker import DOWN

QUARTER_MS = 15 * 60_000
HOUR_MS = 4 * QUARTER_MS


@dataclass(frozen=True, slots=True)
class Gap:
    """A time of which little is known. `kind`: down (the program was), silent (the PBX was)."""

    began: int
    ended: int
    kind: str


@dataclass(frozen=True, slots=True)
class Slot:
    """A quarter of an hour: `counts` is None where nothing is known of any of it.

    `partial`: a gap, or the edge of what is recorded, lies inside; the counts are too low.
    """

    at: int
    counts: Counts | None
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Day:
    """One business day [began, ended) in ms; `whole` and `by_queue` are its totals.

    Each queue was judged by its own T and short limit; `variant` and `t` are what all share, `t`
    None where they differ. `known` is the part that is recorded.
    """

    date: date
    began: int
    ended: int
    known: tuple[int, int]
    slots: list[Slot]
    whole: Counts
    by_queue: dict[str, Counts]
    gaps: list[Gap]
    variant: str
    t: int | None

    def figures(self) -> Figures:
        """The day's figures over all its queues."""
        return self.whole.figures(self.variant, self.t)


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Counts by (weekday from Monday = 0, local hour), and how often that hour was seen.

    An hour that lies mostly in a gap, or outside what is recorded, was not seen; `days` is how many
    days each weekday had.
    """

    cells: dict[tuple[int, int], Counts] = field(default_factory=dict)
    days: dict[int, int] = field(default_factory=dict)
    seen: dict[tuple[int, int], int] = field(default_factory=dict)


class DayBook:
    """Questions about days. Their `queues` is the floor's: each queue with its limits by id."""

    def __init__(self, database: Database, days: BusinessDay) -> None:
        self._database = database
        self._days = days

    async def day(
        self, when: date, queues: Mapping[str, Queue], only: Iterable[str] | None = None
    ) -> Day:
        """That business day, of all queues or `only` these. Raises DatabaseUnavailable."""
        began, ended = self._days.begins(when), self._days.begins(when + timedelta(days=1))
        counted = await self._counted(began, ended, queues, only)
        gaps = await self.gaps(began, ended)
        known = await self.known(began, ended)
        by_slot, by_queue = _grouped(counted)
        slots = [
            _slot(at, by_slot.get((at - began) // QUARTER_MS, Counts()), known, gaps)
            for at in range(began, ended, QUARTER_MS)
        ]
        whole = total(by_queue.values())
        variant, t = shared_settings(queues, by_queue if only is None else only)
        return Day(when, began, ended, known, slots, whole, by_queue, gaps, variant, t)

    async def same_weekday(
        self,
        when: date,
        queues: Mapping[str, Queue],
        only: Sequence[str] | None = None,
        weeks: int = 4,
    ) -> list[Day]:
        """The same weekday of the weeks before, the nearest first; days of which nothing is known
        are left out."""
        before = [when - timedelta(weeks=week) for week in range(1, weeks + 1)]
        days = [await self.day(each, queues, only) for each in before]
        return [day for day in days if day.known[0] < day.known[1]]

    async def heat_map(
        self,
        first: date,
        last: date,
        queues: Mapping[str, Queue],
        only: Iterable[str] | None = None,
    ) -> HeatMap:
        """From the first day to the last, both included."""
        began, ended = self._days.begins(first), self._days.begins(last + timedelta(days=1))
        heat = HeatMap()
        for slot, _, counts in await self._counted(began, ended, queues, only):
            local = datetime.fromtimestamp((began + slot * QUARTER_MS) / 1000, self._days.zone)
            heat.cells.setdefault((local.weekday(), local.hour), Counts()).add(counts)
        for number in range((last - first).days + 1):
            weekday = (first + timedelta(days=number)).weekday()
            heat.days[weekday] = heat.days.get(weekday, 0) + 1
        down = [gap for gap in await self.gaps(began, ended) if gap.kind == DOWN]
        known = await self.known(began, ended)
        for at in range(began, ended, HOUR_MS):
            local = datetime.fromtimestamp(at / 1000, self._days.zone)
            blind = _blind(down, at, at + HOUR_MS) + _unknown(known, at, at + HOUR_MS)
            if blind * 2 < HOUR_MS:
                key = (local.weekday(), local.hour)
                heat.seen[key] = heat.seen.get(key, 0) + 1
        return heat

    async def gaps(self, began: int, ended: int) -> list[Gap]:
        """The gaps that reach into this span, cut to it."""
        # A gap that began long before reaches in as well; there are few of them in all.
        sql = "SELECT began, ended, kind FROM gap WHERE began < ? AND ended > ? ORDER BY began"
        rows = await self._database.read(sql, (ended, began))
        return [Gap(max(began, start), min(ended, stop), kind) for start, stop, kind in rows]

    async def _counted(
        self,
        began: int,
        ended: int,
        queues: Mapping[str, Queue],
        only: Iterable[str] | None,
    ) -> list[tuple[int, str, Counts]]:
        parameters = (began, ended, QUARTER_MS, limits_json(queues))
        wanted = None if only is None else frozenset(only)
        rows = await self._database.read(COUNTED, parameters)
        return [
            (slot, queue, Counts(*counts))
            for slot, queue, *counts in rows
            if wanted is None or queue in wanted
        ]

    async def known(self, began: int, ended: int) -> tuple[int, int]:
        """The part of the span that lies between the first and the newest thing recorded."""
        [(first, newest)] = await self._database.read("SELECT began, at FROM history_progress")
        if first is None:
            return began, began
        return max(began, min(first, ended)), max(began, min(newest, ended))


def _grouped(
    counted: Iterable[tuple[int, str, Counts]],
) -> tuple[dict[int, Counts], dict[str, Counts]]:
    by_slot: dict[int, Counts] = {}
    by_queue: dict[str, Counts] = {}
    for slot, queue, counts in counted:
        by_slot.setdefault(slot, Counts()).add(counts)
        by_queue.setdefault(queue, Counts()).add(counts)
    return by_slot, by_queue


def _slot(at: int, counts: Counts, known: tuple[int, int], gaps: Sequence[Gap]) -> Slot:
    """Nothing is known of a slot that lies wholly outside the record or inside a down time."""
    end = at + QUARTER_MS
    blind = _blind([gap for gap in gaps if gap.kind == DOWN], at, end)
    unseen = _unknown(known, at, end)
    if blind + unseen >= QUARTER_MS:
        return Slot(at, None, partial=True)
    silent = any(gap.began < end and gap.ended > at for gap in gaps)
    return Slot(at, counts, partial=unseen > 0 or silent)


def _blind(gaps: Iterable[Gap], began: int, ended: int) -> int:
    """How much of that span (ms) lies in these gaps."""
    return sum(max(0, min(ended, gap.ended) - max(began, gap.began)) for gap in gaps)


def _unknown(known: tuple[int, int], began: int, ended: int) -> int:
    """How much of that span (ms) lies before or after what is recorded."""
    return max(0, min(ended, known[0]) - began) + max(0, ended - max(began, known[1]))


def shared_settings(queues: Mapping[str, Queue], names: Iterable[str]) -> tuple[str, int | None]:
    """The variant and T that all of these share, as the live totals name them."""
    return variant_of(queues[name] for name in names if name in queues)
