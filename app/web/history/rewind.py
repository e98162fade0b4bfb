"""`/rewind`: the board exactly as it was at any second, to look at and not to act on."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from app.audience import KNOWING, Audience
from app.render import Drawing
from app.rewind import NothingRecorded
from app.web.forms import FormProblem
from app.web.history.looking import Looker, looker_of
from app.web.pages import language_of, render

SECOND = 1000
LISTS = ("tiles", "agents")


@dataclass(frozen=True, slots=True)
class Moment:
    """What is looked at: `at` in its business day [began, ended) of ms, up to `newest`."""

    at: int
    day: date
    began: int
    ended: int
    newest: int
    text: str


async def rewind_page(request: Request) -> Response:
    """The page with the slider, and the board of that moment."""
    looker = looker_of(request)
    moment = _moment(request, looker)
    board, why = await _board(looker, moment.at)
    return render(
        request,
        "rewind.html",
        moment=moment,
        board=board,
        why=why,
        acts=audience_then(looker).acts,
        zone=str(looker.days.zone),
        today=looker.today,
    )


async def rewind_part(request: Request) -> Response:
    """The board of another moment, to be put into the page."""
    looker = looker_of(request)
    moment = _moment(request, looker)
    board, why = await _board(looker, moment.at)
    html = looker.parts.renderer.page(
        "_rewind.html",
        language_of(request),
        moment=moment,
        board=board,
        why=why,
        acts=audience_then(looker).acts,
    )
    return HTMLResponse(html)


def audience_then(looker: Looker) -> Audience:
    """Theirs, without any action; who may know of listeners still knows of them."""
    knowing = frozenset({"read_audit"}) if looker.audience.acts & KNOWING else frozenset[str]()
    return replace(looker.audience, acts=knowing)


async def _board(looker: Looker, at: int) -> tuple[dict[str, Markup], str]:
    """The parts of the board; or none, and why."""
    draw, audience = looker.parts.renderer.past, audience_then(looker)
    try:
        return await looker.parts.rewind.shown(at, lambda floor: drawn(draw(floor, audience))), ""
    except NothingRecorded as nothing:
        return {}, str(nothing)


def drawn(drawing: Drawing) -> dict[str, Markup]:
    """Every part for a page. It comes from templates that escape."""
    parts = dict(drawing.fragments)
    for name, ids in drawing.lists.items():
        parts[name] = "\n".join(drawing.fragments[each] for each in ids)
    return {name: Markup(html) for name, html in parts.items()}  # noqa: S704 - see above


def _moment(request: Request, looker: Looker) -> Moment:
    """What the address asks for, never later than now. Raises FormProblem."""
    now = looker.parts.clock() // SECOND * SECOND
    at = min(now, _asked(request, looker, now))
    day, began, ended = looker.days.span(at)
    local = datetime.fromtimestamp(at / 1000, looker.days.zone)
    return Moment(at, day, began, ended, min(now, ended - SECOND), local.isoformat()[:19])


def _asked(request: Request, looker: Looker, now: int) -> int:
    """`at` as ms or as local time; else a `date` with the time of day `time`; else now."""
    given = request.query_params
    at, when = given.get("at", ""), given.get("date", "")
    if at.isascii() and at.isdigit() and 11 < len(at) < 15:
        return int(at) // SECOND * SECOND
    try:
        if at:
            return _ms(datetime.fromisoformat(at), looker)
        if not when:
            return now
        began = looker.days.begins(date.fromisoformat(when))
        time = given.get("time", "")
        if not time:
            return began + int(timedelta(hours=12).total_seconds()) * SECOND
        then = _ms(datetime.fromisoformat(f"{when}T{time}"), looker)
        return then if then >= began else then + int(timedelta(days=1).total_seconds()) * SECOND
    except (ValueError, OverflowError):
        raise FormProblem("A moment is expected like 2026-11-22T10:42:07.") from None


def _ms(then: datetime, looker: Looker) -> int:
    aware = then if then.tzinfo else then.replace(tzinfo=looker.days.zone)
    if not 2000 <= then.year <= 2999:
        raise ValueError("not within the years of this board")
    return int(aware.timestamp()) * SECOND


ROUTES: list[BaseRoute] = [
    Route("/rewind", rewind_page, methods=["GET"]),
    Route("/rewind/board", rewind_part, methods=["GET"]),
]
