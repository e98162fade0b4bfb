"""`/export/<table>`: any table of the past as a file, as its page shows it; each one is noted."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.audit import Deed
from app.history.search import WrongFilter
from app.sentences import wording
from app.web.forms import FormProblem
from app.web.guard import access_of, actor_of
from app.web.history import abandons, agents, calls, day, sheets
from app.web.history.looking import Looker, looker_of
from app.web.history.sheets import Sheet

LONGEST_NOTE = 200


async def _calls(request: Request, looker: Looker) -> Sheet:
    return calls.calls_sheet(request, looker)


async def _call(request: Request, looker: Looker) -> Sheet:
    return await calls.story_sheet(request, looker, request.query_params.get("call", "")[:128])


TABLES: dict[str, Callable[[Request, Looker], Awaitable[Sheet]]] = {
    "abandons": abandons.worklist_sheet,
    "calls": _calls,
    "call": _call,
    "day": day.quarters_sheet,
    "queues": day.queues_sheet,
    "queue-agents": day.queue_agents_sheet,
    "heat": day.heat_sheet,
    "agent": agents.spans_sheet,
    "agent-calls": agents.agent_calls_sheet,
}


async def export(request: Request) -> Response:
    """The table with the filters of the address, as `form`: csv or xlsx."""
    looker, name = looker_of(request), request.path_params["table"]
    make = TABLES.get(name)
    if make is None:
        raise FormProblem("There is no such table.", 422)
    try:
        sheet = await make(request, looker)
    except WrongFilter as wrong:
        raise FormProblem(wording(wrong)) from wrong
    form = request.query_params.get("form", sheets.CSV)
    await _note(request, looker, name, form)
    return await sheets.answer(sheet, form)


async def _note(request: Request, looker: Looker, name: str, form: str) -> None:
    """What was taken away, by which filters; a number searched for is kept like any other."""
    asked = dict(request.query_params)
    phone, agent = asked.pop("phone", ""), asked.get("agent", "")
    asked.pop("form", None)
    said = urlencode({key: value for key, value in asked.items() if value})
    deed = Deed(
        f"export {name} as {form[:4]}",
        extension=agent[:32],
        queue=asked.get("queue", "")[:64],
        phone=phone[:64],
        reason=said[:LONGEST_NOTE],
    )
    await access_of(request).audit.done(actor_of(request, looker.person), deed)


ROUTES: list[BaseRoute] = [Route("/export/{table}", export, methods=["GET"])]
