"""The worklist of those who gave up: one line per caller, until somebody reached them.

A caller's attempts after which nobody of us talked with them are one line. It closes by itself
when a return call is answered or the caller gets through, or by hand; a later attempt is a new
line. Everything is read from the calls, so a call that is put right later puts its line right.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from app.database import Database

DAY_MS = 24 * 60 * 60_000
KEPT_DAYS = 7
MOST = 1000

ATTEMPT = "attempt"
RETURNED, GOT_THROUGH, BY_HAND = "returned", "got_through", "by_hand"


@dataclass(frozen=True, slots=True)
class Line:
    """One caller. Times in ms since the epoch; `callid` is the last attempt's, for deeds.

    `closed`: "" (open), returned, got_through or by_hand, at `closed_at`; `closed_by` a name only
    where it was by hand. `called_by`/`called_at`: the newest call back that was placed here;
    `attempts`: outbound calls to the number since the last try that nobody answered.
    """

    caller: str
    phone: str
    callid: str
    tries: int
    first_at: int
    last_at: int
    longest_wait_ms: int
    queues: tuple[str, ...]
    closed: str = ""
    closed_at: int | None = None
    closed_by: str = ""
    claimed_by: str = ""
    claimed_at: int | None = None
    called_by: str = ""
    called_at: int | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class CallBackFigure:
    """Of the callers who gave up in a span: how many there were, and how soon they were reached.

    Minutes from a line's last try to the first connected return call; None: none was returned.
    """

    lines: int
    returned: int
    got_through: int
    by_hand: int
    open: int
    average_minutes: float | None
    median_minutes: float | None


# Each attempt with the moment after which it is no longer open: the next call with this caller in
# which somebody talked, or the next closing by hand. ?1 the oldest, ?2 the newest moment.
GAVE_UP = """
WITH gave_up AS MATERIALIZED (
    SELECT first_seen, callid, caller, coalesce(left_at, first_seen) AS at,
        coalesce(wait_ms, 0) AS wait_ms,
        (SELECT min(good.first_seen) FROM call AS good WHERE good.caller = bad.caller
            AND good.outcome IN ('answered', 'reached') AND good.first_seen > bad.first_seen
        ) AS talked,
        (SELECT min(deed.at) FROM abandon_deed AS deed WHERE deed.caller = bad.caller
            AND deed.at >= coalesce(bad.left_at, bad.first_seen) AND deed.deed = 'closed'
        ) AS shut
    FROM call AS bad INDEXED BY call_abandoned
    WHERE bad.outcome = 'abandoned' AND bad.first_seen >= ?1 AND bad.first_seen < ?2
), line AS (
    SELECT caller, count(*) AS tries, min(at) AS first_at, max(at) AS last_at,
        max(wait_ms) AS longest, max(first_seen) AS last_seen,
        min(coalesce(talked, 1e15), coalesce(shut, 1e15)) AS over, talked, shut
    FROM gave_up
    GROUP BY caller, min(coalesce(talked, 1e15), coalesce(shut, 1e15))
)
"""
OPEN_LINES = "over = 1e15"
LINES = """
SELECT line.caller, tries, first_at, last_at, longest, last_seen, talked, shut,
    last.callid, last.phone, good.direction, good.answered_at
FROM line
LEFT JOIN call AS last ON last.caller = line.caller AND last.first_seen = line.last_seen
LEFT JOIN call AS good INDEXED BY call_caller
    ON good.caller = line.caller AND good.first_seen = line.talked
    AND good.outcome IN ('answered', 'reached')
"""


async def worklist(
    database: Database,
    now: int,
    days: int = KEPT_DAYS,
    *,
    closed: bool = False,
    queues: frozenset[str] | None = None,
    most: int = MOST,
) -> list[Line]:
    """The open lines of the last so many days, the newest try first; with `closed` all of them.

    At most `most` of them.

    `queues`: only callers who gave up in one of these (None: all). Raises DatabaseUnavailable.
    """
    where = "" if closed else f"WHERE {OPEN_LINES}"
    sql = f"{GAVE_UP}{LINES}{where} ORDER BY last_at DESC, line.caller LIMIT ?3"
    rows = await database.read(sql, (now - days * DAY_MS, now + DAY_MS, most))
    lines = [_line(row) for row in _one_each(rows)]
    lines = await _with_queues(database, lines, queues)
    return await _with_deeds(database, lines)


async def call_back_figure(
    database: Database, since: int, until: int, *, queues: frozenset[str] | None = None
) -> CallBackFigure:
    """Time to call back, over the callers whose first try was in [since, until) ms.

    `queues`: only callers who gave up in one of these (None: all).
    """
    sql = f"{GAVE_UP}{LINES}"
    lines = [_line(row) for row in _one_each(await database.read(sql, (since, until)))]
    if queues is not None:
        lines = await _with_queues(database, lines, queues)
    return figure_of(lines)


def figure_of(lines: Sequence[Line]) -> CallBackFigure:
    """What these lines come to."""
    minutes = sorted(
        (line.closed_at - line.last_at) / 60_000
        for line in lines
        if line.closed == RETURNED and line.closed_at is not None
    )
    how = [line.closed for line in lines]
    return CallBackFigure(
        lines=len(lines),
        returned=how.count(RETURNED),
        got_through=how.count(GOT_THROUGH),
        by_hand=how.count(BY_HAND),
        open=how.count(""),
        average_minutes=sum(minutes) / len(minutes) if minutes else None,
        median_minutes=minutes[len(minutes) // 2] if minutes else None,
    )


def _one_each(rows: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    """Two calls of one caller seen in the same millisecond would give a line twice."""
    return list({(row[0], row[2]): row for row in rows}.values())


def _line(row: Sequence[Any]) -> Line:
    caller, tries, first_at, last_at, longest, _, talked, shut, callid, phone, way, answered = row
    line = Line(caller, phone, callid, tries, first_at, last_at, longest, ())
    if shut is not None and (talked is None or shut < talked):
        return replace(line, closed=BY_HAND, closed_at=shut)
    if talked is not None:
        how = RETURNED if way == "outbound" else GOT_THROUGH
        return replace(line, closed=how, closed_at=answered or talked)
    return line


async def _with_queues(
    database: Database, lines: Sequence[Line], scope: frozenset[str] | None
) -> list[Line]:
    """In which queues each caller gave up in these tries."""
    sql = (
        "SELECT call.caller, call.left_at, visit.queue FROM call JOIN visit "
        "USING (first_seen, callid) WHERE visit.outcome = 'abandoned' "
        "AND call.outcome = 'abandoned' AND call.first_seen >= ? "
        "AND call.caller IN (SELECT value FROM json_each(?))"
    )
    oldest = min((line.first_at for line in lines), default=0) - DAY_MS
    rows = await database.read(sql, (oldest, _json([line.caller for line in lines])))
    found: dict[str, list[tuple[int, str]]] = {}
    for caller, at, queue in rows:
        found.setdefault(caller, []).append((at or 0, queue))
    named = [replace(line, queues=_queues(line, found.get(line.caller, []))) for line in lines]
    return [line for line in named if scope is None or not scope.isdisjoint(line.queues)]


def _queues(line: Line, tries: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    return tuple(sorted({queue for at, queue in tries if line.first_at <= at <= line.last_at}))


async def _with_deeds(database: Database, lines: Sequence[Line]) -> list[Line]:
    """Who claimed a line, who calls back, who closed it; and calls back that nobody answered."""
    callers = _json([line.caller for line in lines])
    deeds = await database.read(
        "SELECT caller, at, deed, who FROM abandon_deed "
        "WHERE caller IN (SELECT value FROM json_each(?)) ORDER BY seq",
        (callers,),
    )
    attempts = await database.read(
        "SELECT caller, first_seen, 'attempt', '' FROM call WHERE outcome = 'unreached' "
        "AND caller IN (SELECT value FROM json_each(?)) ORDER BY first_seen",
        (callers,),
    )
    by_caller: dict[str, list[tuple[int, str, str]]] = {}
    for caller, at, deed, who in [*deeds, *attempts]:
        by_caller.setdefault(caller, []).append((at, deed, who))
    return [_done(line, by_caller.get(line.caller, [])) for line in lines]


def _done(line: Line, deeds: Sequence[tuple[int, str, str]]) -> Line:
    """The line with what was done about it while it was open."""
    told: dict[str, Any] = {"attempts": 0}
    for at, deed, who in deeds:
        if at < line.first_at or (line.closed_at is not None and at > line.closed_at):
            continue
        if deed == ATTEMPT:
            told["attempts"] += at > line.last_at
        elif deed != "closed" or line.closed == BY_HAND:
            told |= _told_by(deed, who, at)
    return replace(line, **told)


def _told_by(deed: str, who: str, at: int) -> dict[str, Any]:
    if deed == "claimed":
        return {"claimed_by": who, "claimed_at": at}
    if deed == "released":
        return {"claimed_by": "", "claimed_at": None}
    if deed == "calling":
        return {"called_by": who, "called_at": at}
    return {"closed_by": who}


def _json(values: Sequence[str]) -> str:
    return msgspec.json.encode(values).decode()
