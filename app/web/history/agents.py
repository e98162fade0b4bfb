"""`/agents/<ext>`: one agent's day as a line of statuses and calls, and what it comes to."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.domain.states import Status
from app.history.agents import AgentCall, AgentDay, AgentSpan, agent_day
from app.history.days import Gap
from app.web.forms import FormProblem
from app.web.history.day import book_of
from app.web.history.looking import Looker, day_asked, looker_of
from app.web.history.sheets import Row, Sheet, listed
from app.web.history.shown import ShownCall, shown_call
from app.web.pages import render

HOUR_MS = 3_600_000
# What a line is drawn of is at least this long, in ms, and this wide, in percent.
NARROWEST = 0.06
EDGE_MS = 15 * 60_000


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of the timeline, in percent of its width; `what` is a status, a call's or a gap's."""

    left: float
    width: float
    what: str
    since: int
    until: int
    paused: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The shown part of the day: hours as (percent, ms), and three rows of bars."""

    began: int
    ended: int
    hours: list[tuple[float, int]]
    spans: list[Bar]
    calls: list[Bar]
    gaps: list[Bar]


@dataclass(frozen=True, slots=True)
class ShownPart:
    """The agent's part in a call; `call` None: a call of a queue that is not this person's."""

    call: ShownCall | None
    queue: str
    since: int
    answered_at: int | None
    ended_at: int | None
    missed: bool


async def agents_page(request: Request) -> Response:
    """All agents within scope, each with the way to their day."""
    looker = looker_of(request)
    cards = looker.audience.cards(looker.parts.floor.agent_cards())
    return render(request, "agents.html", agents=cards)


async def agent_page(request: Request) -> Response:
    """One agent's business day."""
    looker, extension = looker_of(request), request.path_params["extension"][:32]
    if not looker.sees_agent(extension):
        return render(request, "gone.html", 404, back="/day")
    when = day_asked(request, looker)
    parts = looker.parts
    day = await agent_day(parts.database, looker.days, extension, when, parts.clock())
    gaps = await book_of(looker).gaps(day.began, day.ended)
    if not (day.spans or day.calls or extension in parts.floor.state.agents):
        return render(request, "gone.html", 404, back="/day")
    agents = parts.floor.state.agents
    seen = sorted(each for each in agents if looker.sees_agent(each))
    return render(
        request,
        "agent.html",
        day=day,
        name=looker.agent_name(extension),
        calls=[shown_part(looker, call) for call in day.calls],
        line=timeline(day, gaps),
        statuses=list(Status),
        agents=[(each, agents[each].name) for each in seen],
        today=looker.today,
        earlier=when - timedelta(days=1),
        later=when + timedelta(days=1),
    )


def shown_part(looker: Looker, part: AgentCall) -> ShownPart:
    """The part as this person may see it: of another's queue, only that there was one."""
    mine = looker.sees_call(part.call)
    return ShownPart(
        shown_call(looker, part.call) if mine else None,
        looker.queue_name(part.queue) if part.queue else "",
        part.since,
        part.answered_at,
        part.ended_at,
        part.missed,
    )


def timeline(day: AgentDay, gaps: list[Gap]) -> Timeline:
    """What to draw: from a little before the first to a little after the last thing."""
    began, ended = _window(day)
    whole = ended - began

    def bar(since: int, until: int, what: str, paused: bool = False, reason: str = "") -> Bar:
        since, until = max(since, began), min(until, ended)
        left, width = (since - began) * 100 / whole, (until - since) * 100 / whole
        return Bar(
            round(left, 3), round(max(width, NARROWEST), 3), what, since, until, paused, reason
        )

    spans = [bar(s.since, s.until, str(s.status), s.paused, s.reason) for s in day.spans]
    calls = [
        bar(call.since, call.ended_at or call.answered_at or ended, _what(call))
        for call in day.calls
    ]
    down = [bar(gap.began, gap.ended, gap.kind) for gap in gaps if _overlaps(gap, began, ended)]
    first = began - began % HOUR_MS
    hours = [
        (round((at - began) * 100 / whole, 3), at)
        for at in range(first, ended + 1, HOUR_MS)
        if began <= at <= ended
    ]
    return Timeline(began, ended, hours, spans, calls, down)


def _overlaps(gap: Gap, began: int, ended: int) -> bool:
    return gap.began < ended and gap.ended > began


def _window(day: AgentDay) -> tuple[int, int]:
    """The signed-in part of the day, or all of it where there was none."""
    there = [span for span in day.spans if span.status is not Status.OFF]
    since = [span.since for span in there] + [call.since for call in day.calls]
    until = [span.until for span in there] + [
        call.ended_at or call.answered_at or call.since for call in day.calls
    ]
    if not since:
        return day.began, day.ended
    return max(day.began, min(since) - EDGE_MS), min(day.ended, max(until) + EDGE_MS)


def _what(part: AgentCall) -> str:
    if part.missed and part.answered_at is None:
        return "missed"
    return "outbound" if part.call.direction == "outbound" else "answered"


# Tables as files

SPANS = ("since", "until", "status", "paused", "reason", "seconds", "still")
CALLS = ("since", "answered_at", "ended_at", "queue", "direction", "phone", "outcome", "missed")


async def _asked(request: Request, looker: Looker) -> AgentDay:
    extension = request.query_params.get("agent", "")[:32]
    if not looker.sees_agent(extension):
        raise FormProblem("This agent is outside the queues of your account.", 403)
    when, parts = day_asked(request, looker), looker.parts
    return await agent_day(parts.database, looker.days, extension, when, parts.clock())


async def spans_sheet(request: Request, looker: Looker) -> Sheet:
    day = await _asked(request, looker)
    rows = (_span_cells(looker, span) for span in day.spans)
    return Sheet(f"agent-{day.extension}-{day.date}", SPANS, listed(rows))


def _span_cells(looker: Looker, span: AgentSpan) -> Row:
    seconds = (span.until - span.since) / 1000
    since, until = looker.local(span.since), looker.local(span.until)
    return since, until, str(span.status), span.paused, span.reason, seconds, span.open


async def agent_calls_sheet(request: Request, looker: Looker) -> Sheet:
    day = await _asked(request, looker)
    rows = _call_cells(looker, (shown_part(looker, call) for call in day.calls))
    return Sheet(f"agent-calls-{day.extension}-{day.date}", CALLS, listed(rows))


def _call_cells(looker: Looker, shown: Iterator[ShownPart]) -> Iterator[Row]:
    for part in shown:
        call = part.call
        told = (call.direction, call.phone, call.outcome) if call else ("", "", "")
        times = (looker.local(at) for at in (part.since, part.answered_at, part.ended_at))
        yield (*times, part.queue, *told, part.missed)


ROUTES: list[BaseRoute] = [
    Route("/agents", agents_page, methods=["GET"]),
    Route("/agents/{extension}", agent_page, methods=["GET"]),
]
