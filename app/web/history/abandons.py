"""`/abandons`: the callers who gave up and are to be called back; who takes which, and how it went.

Claims go through one door at a time: two people who click together must not both have the caller.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.actions.desk import Asker
from app.domain.events import AbandonClaimed, AbandonClosed, AbandonReleased, Event
from app.history.abandons import CallBackFigure, Line, call_back_figure, worklist
from app.render import hashed_id
from app.rights import Right, Target
from app.sentences import Sentence, wording
from app.web.forms import Form, FormProblem, form_of
from app.web.guard import access_of, actor_of, deed_of, require
from app.web.history.looking import Looker, caught_up, looker_of, queue_asked
from app.web.history.sheets import Row, Sheet, listed
from app.web.pages import render

VIEWS = ("open", "mine", "closed")
# How long a deed waits for the list to show it.
PATIENCE_S = 3.0
SHOWN = 200
# As many lines as a page counts, and as a file holds.
COUNTED, FILED = 5000, 50_000

_door = asyncio.Lock()

TAKEN = Sentence("{name} has taken this caller on already.")


class Taken(Exception):
    """It was not done; the text says why."""


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One caller as this person may see them; `key` names the line in a form."""

    key: str
    phone: str
    line: Line
    queues: tuple[str, ...]
    mine: bool
    path: str


async def abandons_page(request: Request) -> Response:
    return await _shown(request, looker_of(request))


async def _shown(
    request: Request, looker: Looker, *, problem: str = "", told: str = ""
) -> Response:
    view, queue = _view(request), queue_asked(request, looker)
    await caught_up(looker)
    lines = await _lines(looker, view, queue)
    acts = looker.audience.acts
    return render(
        request,
        "abandons.html",
        409 if problem else 200,
        lines=[_shown_line(looker, line) for line in lines[:SHOWN]],
        more=max(0, len(lines) - SHOWN),
        view=view,
        queue=queue,
        choices=looker.choices,
        figure=await _figure(looker, 0),
        figure_kept=await _figure(looker, looker.parts.settings.abandon_days - 1),
        days=looker.parts.settings.abandon_days,
        may_call=looker.person.may(Right.CALL),
        acts=acts,
        problem=problem,
        told=told,
    )


def _view(request: Request) -> str:
    view = request.query_params.get("show", "open")
    return view if view in VIEWS else "open"


async def _lines(looker: Looker, view: str, queue: str, most: int = COUNTED) -> list[Line]:
    parts = looker.parts
    lines = await worklist(
        parts.database,
        parts.clock(),
        parts.settings.abandon_days,
        closed=view == "closed",
        queues=frozenset({queue}) if queue else looker.person.queues,
        most=FILED if view == "mine" else most,
    )
    if view == "mine":
        return [line for line in lines if line.claimed_by == looker.person.name]
    return [line for line in lines if line.closed] if view == "closed" else lines


async def _figure(looker: Looker, before: int) -> CallBackFigure:
    """Of those who gave up today, or in so many days before as well."""
    began = looker.days.begins(looker.today - timedelta(days=before))
    ended = looker.days.begins(looker.today + timedelta(days=1))
    database = looker.parts.database
    return await call_back_figure(database, began, ended, queues=looker.person.queues)


def _shown_line(looker: Looker, line: Line) -> ShownLine:
    return ShownLine(
        key=hashed_id(line.callid, "g"),
        phone=looker.number(line.phone),
        line=line,
        queues=tuple(looker.queue_name(q) for q in line.queues if looker.person.sees_queue(q)),
        mine=line.claimed_by == looker.person.name,
        path="" if looker.masked else f"/calls/{line.callid}",
    )


# What people do


async def change_abandons(request: Request) -> Response:
    """Claim, release, close or call back: what `do` names, for the line `line`."""
    await require(request, Right.CALL)
    looker, form = looker_of(request), await form_of(request)
    try:
        told = await _do(request, looker, form)
    except Taken as taken:
        return await _shown(request, looker, problem=wording(taken))
    return await _shown(request, looker, told=told)


async def _do(request: Request, looker: Looker, form: Form) -> str:
    """The sentence of a call that was placed, "" for what the list shows itself. Raises Taken."""
    what, key = form.one("do"), form.one("line")[:64]
    if what == "call":
        return await _call_back(request, looker, await _line(looker, key))
    if what not in {"claim", "release", "close"}:
        raise FormProblem("There is no such thing to do.")
    async with _door:
        line = await _line(looker, key)
        event = _event(looker, line, what, form)
        deed = deed_of(f"{what} abandoned caller", _target(line), reason=form.one("reason")[:200])
        await access_of(request).audit.done(actor_of(request, looker.person), deed)
        await _append(looker, event)
    return ""


def _event(looker: Looker, line: Line, what: str, form: Form) -> Event:
    name = looker.person.name
    if what == "claim":
        if line.claimed_by and line.claimed_by != name:
            raise Taken(TAKEN.filled(name=line.claimed_by))
        return AbandonClaimed(callid=line.callid, by=name)
    if what == "release":
        return AbandonReleased(callid=line.callid, by=name)
    return AbandonClosed(callid=line.callid, by=name, reason=form.one("reason")[:200])


async def _line(looker: Looker, key: str) -> Line:
    """The open line of that key, within scope. Raises Taken."""
    for line in await _lines(looker, "open", ""):
        if hashed_id(line.callid, "g") == key:
            return line
    raise Taken("This caller has been reached meanwhile, or called again: look at the list anew.")


def _target(line: Line) -> Target:
    queue = line.queues[0] if line.queues else ""
    return Target(callid=line.callid, queue=queue, phone=line.phone)


async def _append(looker: Looker, event: Event) -> None:
    """Return once the list shows it."""
    await looker.parts.log.append([event])
    await caught_up(looker, PATIENCE_S)


async def _call_back(request: Request, looker: Looker, line: Line) -> str:
    """Ring the person's phone, then the caller's; who had it claimed keeps it."""
    if line.claimed_by and line.claimed_by != looker.person.name:
        raise Taken(TAKEN.filled(name=line.claimed_by))
    asker = Asker(looker.person, actor_of(request, looker.person))
    seen = _seen_target(looker, line)
    outcome = await looker.parts.actions.calling.back(asker, line.callid, seen)
    await caught_up(looker, PATIENCE_S)
    if not outcome.ok:
        raise Taken(outcome.sentence)
    return outcome.sentence


def _seen_target(looker: Looker, line: Line) -> Target:
    """Aimed at through a queue of theirs, where the caller tried several."""
    seen = [queue for queue in line.queues if looker.person.sees_queue(queue)]
    return Target(callid=line.callid, queue=seen[0] if seen else "", phone=line.phone)


# The list as a file

COLUMNS = (
    "caller", "tries", "first_try", "last_try", "longest_wait_s", "queues", "claimed_by",
    "claimed_at", "called_by", "called_at", "unanswered_calls_back", "closed", "closed_at",
    "closed_by",
)  # fmt: skip


async def worklist_sheet(request: Request, looker: Looker) -> Sheet:
    view = _view(request)
    lines = await _lines(looker, view, queue_asked(request, looker), FILED)
    rows = (_cells(looker, _shown_line(looker, line)) for line in lines)
    return Sheet(f"abandons-{view}", COLUMNS, listed(rows))


def _cells(looker: Looker, shown: ShownLine) -> Row:
    line = shown.line
    return (
        shown.phone, line.tries, looker.local(line.first_at), looker.local(line.last_at),
        line.longest_wait_ms / 1000, ", ".join(shown.queues), line.claimed_by,
        looker.local(line.claimed_at), line.called_by, looker.local(line.called_at),
        line.attempts, line.closed, looker.local(line.closed_at), line.closed_by,
    )  # fmt: skip


ROUTES: list[BaseRoute] = [
    Route("/abandons", abandons_page, methods=["GET"]),
    Route("/abandons", change_abandons, methods=["POST"]),
]
