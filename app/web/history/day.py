"""`/day` and `/queues/<id>`: a business day in quarters of an hour, with what it is compared to."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from app.domain.view import Figures
from app.history.agents import QueueAgent, queue_agents
from app.history.counts import Counts
from app.history.days import QUARTER_MS, Day, DayBook
from app.web.history.charts import chart_json
from app.web.history.heat import METRICS, Heat, heat_of
from app.web.history.looking import Looker, day_asked, looker_of, queue_asked
from app.web.history.sheets import Row, Sheet, listed
from app.web.pages import language_of, render

FIGURES = (
    "offered", "answered", "abandoned", "abandoned_short", "otherwise", "answered_in_t",
    "service_level", "abandon_rate", "asa_s", "aht_s", "max_wait_s",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quarter:
    """One row of the table beside the charts; `figures` None: nothing is known of it."""

    at: int
    figures: Figures | None
    partial: bool


def book_of(looker: Looker) -> DayBook:
    return DayBook(looker.parts.database, looker.days)


async def asked_day(looker: Looker, when: date, queue: str) -> Day:
    """That day of one queue, or of all within scope."""
    return await book_of(looker).day(when, looker.queues, only_of(looker, queue))


def only_of(looker: Looker, queue: str) -> list[str] | None:
    """The queues to count: None for all there ever were, where nothing limits the person."""
    if queue:
        return [queue]
    return None if looker.person.queues is None else sorted(looker.person.queues)


async def day_page(request: Request) -> Response:
    """The day over the queues in scope, or of one of them."""
    looker = looker_of(request)
    return await _shown(request, looker, day_asked(request, looker), queue_asked(request, looker))


async def queue_page(request: Request) -> Response:
    """The same of one queue, with who answered."""
    looker, queue = looker_of(request), request.path_params["queue"][:64]
    if not looker.person.sees_queue(queue) or queue not in looker.parts.floor.state.queues:
        return render(request, "gone.html", 404, back="/day")
    return await _shown(request, looker, day_asked(request, looker), queue, by_agent=True)


async def _shown(
    request: Request, looker: Looker, when: date, queue: str, *, by_agent: bool = False
) -> Response:
    day = await asked_day(looker, when, queue)
    before = await _before(looker, when, queue)
    agents: list[QueueAgent] = []
    if by_agent:
        agents = await queue_agents(looker.parts.database, looker.days, queue, when)
    return render(
        request,
        "day.html",
        day=day,
        figures=day.figures(),
        before=before,
        before_figures=before.figures() if before else None,
        quarters=list(quarters(day)),
        by_queue=by_queue(looker, day),
        chart=chart_json(looker, day, before),
        queue=queue,
        queue_name=looker.queue_name(queue) if queue else "",
        choices=looker.choices,
        agents=agents,
        agent_name=looker.agent_name,
        by_agent=by_agent,
        path=f"/queues/{quote(queue, safe='')}" if by_agent else "/day",
        today=looker.today,
        earlier=when - timedelta(days=1),
        later=when + timedelta(days=1),
    )


async def _before(looker: Looker, when: date, queue: str) -> Day | None:
    """The nearest same weekday before of which something is known."""
    for week in range(1, 5):
        day = await asked_day(looker, when - timedelta(weeks=week), queue)
        if any(slot.counts is not None for slot in day.slots):
            return day
    return None


def quarters(day: Day) -> Iterator[Quarter]:
    """From the first quarter of which something is known, or in which there was anything."""
    for slot in day.slots:
        figures = slot.counts.figures(day.variant, day.t) if slot.counts else None
        if slot.at + QUARTER_MS > day.known[0] and slot.at < day.known[1]:
            yield Quarter(slot.at, figures, slot.partial)


def by_queue(looker: Looker, day: Day) -> list[tuple[str, str, Figures]]:
    """(id, name, figures) of each queue, by its own variant and T."""
    return sorted(
        (
            (queue, looker.queue_name(queue), _own(looker, queue, counts))
            for queue, counts in day.by_queue.items()
        ),
        key=lambda row: row[1].casefold(),
    )


def _own(looker: Looker, queue: str, counts: Counts) -> Figures:
    own = looker.queues.get(queue)
    variant, t = (own.variant, own.service_level_s) if own else ("short_ignored", 20)
    return counts.figures(variant, t)


# The week


async def heat_part(request: Request) -> Response:
    """The heat map of four weeks, fetched after the page: it reads every visit of them."""
    looker = looker_of(request)
    heat = await asked_heat(request, looker)
    page = looker.parts.renderer.page
    asked = request.query_params
    plain = urlencode({name: asked[name] for name in ("date", "queue") if name in asked})
    html = page("_heat.html", language_of(request), heat=heat, metrics=METRICS, plain=plain)
    return HTMLResponse(html)


async def asked_heat(request: Request, looker: Looker) -> Heat:
    """The four weeks up to the day asked for; the present day is not over, so it is left out."""
    when, queue = day_asked(request, looker), queue_asked(request, looker)
    metric = request.query_params.get("metric", METRICS[0])
    return await heat_of(looker, book_of(looker), when, only_of(looker, queue), metric)


# Tables as files


def _cells(figures: Figures) -> Row:
    return [getattr(figures, name) for name in FIGURES]


async def quarters_sheet(request: Request, looker: Looker) -> Sheet:
    day = await asked_day(looker, day_asked(request, looker), queue_asked(request, looker))
    rows = (
        (looker.local(one.at), one.partial, *(_cells(one.figures) if one.figures else ()))
        for one in quarters(day)
    )
    return Sheet(f"day-{day.date}", ("at", "partial", *FIGURES), listed(rows))


async def queues_sheet(request: Request, looker: Looker) -> Sheet:
    day = await asked_day(looker, day_asked(request, looker), queue_asked(request, looker))
    rows = ((queue, name, *_cells(figures)) for queue, name, figures in by_queue(looker, day))
    return Sheet(f"queues-{day.date}", ("queue", "name", *FIGURES), listed(rows))


async def queue_agents_sheet(request: Request, looker: Looker) -> Sheet:
    when, queue = day_asked(request, looker), queue_asked(request, looker)
    agents = await queue_agents(looker.parts.database, looker.days, queue, when)
    rows = (
        (agent.extension, looker.agent_name(agent.extension), agent.answered, agent.talk_ms / 1000)
        for agent in agents
    )
    return Sheet(f"queue-agents-{when}", ("agent", "name", "answered", "talk_s"), listed(rows))


async def heat_sheet(request: Request, looker: Looker) -> Sheet:
    heat = await asked_heat(request, looker)
    rows = ((row.weekday + 1, *(cell.value for cell in row.cells)) for row in heat.rows)
    columns = ("iso_weekday", *(f"{hour:02}" for hour in heat.hours))
    return Sheet(f"heat-{heat.metric}", columns, listed(rows))


ROUTES: list[BaseRoute] = [
    Route("/day", day_page, methods=["GET"]),
    Route("/day/heat", heat_part, methods=["GET"]),
    Route("/queues/{queue:path}", queue_page, methods=["GET"]),
]
