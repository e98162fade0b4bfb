"""An agent's day: what it was spent on, which calls were taken and missed; and a queue's agents."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from app.database import Database
from app.domain.days import BusinessDay
from app.domain.figures import occupancy
from app.domain.states import Status
from app.history.search import COLUMNS, CallRow, call_row_of


@dataclass(frozen=True, slots=True)
class AgentSpan:
    """A stretch in one status [since, until) in ms, cut to the day. `open`: it still lasts."""

    since: int
    until: int
    status: Status
    paused: bool
    reason: str
    open: bool


@dataclass(frozen=True, slots=True)
class AgentCall:
    """The agent's part in one call: `since` rang, answered, ended; `missed` let it ring out."""

    call: CallRow
    queue: str
    since: int
    answered_at: int | None
    ended_at: int | None
    missed: bool


@dataclass(frozen=True, slots=True)
class AgentDay:
    """Sums in ms. `answered` and `queue_talk_ms` count queue calls by the visit's arrival."""

    extension: str
    date: date
    began: int
    ended: int
    spans: list[AgentSpan]
    calls: list[AgentCall]
    status_ms: dict[Status, int]
    pause_ms: dict[str, int]
    answered: int
    missed: int
    outbound: int
    queue_talk_ms: int

    @property
    def occupancy(self) -> float | None:
        """talk ÷ (talk + on); None where there was neither."""
        return occupancy(self.status_ms[Status.TALK], self.status_ms[Status.ON])


@dataclass(frozen=True, slots=True)
class QueueAgent:
    """What one agent answered of a queue in a day."""

    extension: str
    answered: int
    talk_ms: int


async def agent_day(
    database: Database, days: BusinessDay, extension: str, when: date, now: int
) -> AgentDay:
    """That agent's business day, up to `now` (ms). Raises DatabaseUnavailable."""
    began, ended = days.begins(when), days.begins(when + timedelta(days=1))
    spans = await _spans(database, extension, began, min(ended, now))
    calls = await _calls(database, extension, began, ended)
    sql = (
        "SELECT count(*), coalesce(sum(talk_ms), 0) FROM visit WHERE agent = ? AND agent <> '' "
        "AND seen_at >= ? AND seen_at < ? AND counted = 1 AND outcome = 'answered'"
    )
    [(answered, talk_ms)] = await database.read(sql, (extension, began, ended))
    return AgentDay(
        extension,
        when,
        began,
        ended,
        spans,
        calls,
        _by_status(spans),
        _by_reason(spans),
        answered,
        sum(call.missed for call in calls),
        sum(call.call.direction == "outbound" for call in calls),
        talk_ms,
    )


async def queue_agents(
    database: Database, days: BusinessDay, queue: str, when: date
) -> list[QueueAgent]:
    """Who answered the queue's callers that day, most first."""
    sql = (
        "SELECT agent, count(*), coalesce(sum(talk_ms), 0) FROM visit WHERE counted = 1 "
        "AND seen_at >= ? AND seen_at < ? AND queue = ? AND outcome = 'answered' "
        "GROUP BY agent ORDER BY 2 DESC, 1"
    )
    span = (days.begins(when), days.begins(when + timedelta(days=1)))
    return [QueueAgent(*row) for row in await database.read(sql, (*span, queue))]


async def _spans(database: Database, extension: str, began: int, until: int) -> list[AgentSpan]:
    # The one that began before the day, and all that began in it.
    sql = (
        "SELECT since, until, status, paused, reason FROM agent_span WHERE extension = ?1 "
        "AND since < ?3 AND since >= coalesce((SELECT max(since) FROM agent_span "
        "WHERE extension = ?1 AND since <= ?2), ?2) ORDER BY since"
    )
    spans = []
    for since, end, status, paused, reason in await database.read(sql, (extension, began, until)):
        start, stop = max(since, began), until if end is None else min(end, until)
        if stop > start:
            spans.append(
                AgentSpan(start, stop, Status(status), bool(paused), reason, open=end is None)
            )
    return spans


async def _calls(database: Database, extension: str, began: int, ended: int) -> list[AgentCall]:
    columns = ", ".join(f"call.{name}" for name in COLUMNS.split(", "))
    sql = (
        "SELECT leg.queue, leg.since, leg.answered_at, leg.ended_at, leg.missed, "  # noqa: S608 (our names)
        f"{columns} FROM leg JOIN call USING (first_seen, callid) "
        "WHERE leg.extension = ? AND leg.since >= ? AND leg.since < ? ORDER BY leg.since"
    )
    rows = await database.read(sql, (extension, began, ended))
    return [
        AgentCall(call_row_of(row[5:]), row[0], row[1], row[2], row[3], bool(row[4]))
        for row in rows
    ]


def _by_status(spans: Iterable[AgentSpan]) -> dict[Status, int]:
    spent = dict.fromkeys(Status, 0)
    for span in spans:
        spent[span.status] += span.until - span.since
    return spent


def _by_reason(spans: Iterable[AgentSpan]) -> dict[str, int]:
    spent: dict[str, int] = {}
    for span in spans:
        if span.status is Status.PAUSE:
            spent[span.reason] = spent.get(span.reason, 0) + span.until - span.since
    return spent
