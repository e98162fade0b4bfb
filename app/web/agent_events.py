"""What made an agent's tile what it is: the newest events about the agent, as they were told."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.audience import Audience
from app.history.story import Step, agent_story
from app.masking import masked
from app.render import hashed_id
from app.web.board import audience_of
from app.web.forms import FormProblem
from app.web.guard import require_person
from app.web.pages import render
from app.web.parts import parts_of

SHOWN = 20
NO_SUCH_AGENT = 404
# Of a call of somebody else's queue these would tell more than that there is one.
OF_THE_CALLER = frozenset({"phone", "did", "queue"})
# The agent is the page's own, a recording is played elsewhere, flags are for diagnostics.
LEFT_OUT = frozenset({"extension", "recording", "flags"})
# Moments, in ms.
MOMENTS = frozenset({"started", "until"})


@dataclass(frozen=True, slots=True)
class Told:
    """One event. `at` in ms; `said` are its fields as this person may read them."""

    at: int
    seq: int
    kind: str
    source: str
    said: tuple[tuple[str, str], ...]


async def events(request: Request) -> Response:
    """The list for the dialog of an agent's card."""
    person = require_person(request)
    parts, audience = parts_of(request), audience_of(request, person)
    extension = request.path_params["extension"][:32]
    card = parts.floor.agent_card(extension)
    if card is None or not audience.sees_agent(card):
        raise FormProblem("There is no such agent.", NO_SUCH_AGENT)
    steps = await agent_story(parts.database, parts.log, extension, limit=SHOWN)
    told = told_to(audience, steps, parts.renderer.zone)
    return render(request, "_agent_events.html", events=told, extension=extension, name=card.name)


def told_to(audience: Audience, steps: Iterable[Step], zone: tzinfo = UTC) -> list[Told]:
    """The events as this audience may see them, the newest first."""
    steps = list(steps)
    seen = {step.said.get("callid") for step in steps if _names_queue_of(audience, step)}
    return [
        Told(step.at, step.seq, step.kind, step.source, _said(audience, step, seen, zone))
        for step in reversed(steps)
        if audience.may_know_of(step.kind)
    ]


def _names_queue_of(audience: Audience, step: Step) -> bool:
    queue = str(step.said.get("queue", ""))
    return bool(queue) and audience.sees(queue)


def _said(
    audience: Audience, step: Step, seen: set[object], zone: tzinfo
) -> tuple[tuple[str, str], ...]:
    """The fields that were told; of calls out of scope, not whose they are."""
    is_theirs = audience.queues is None or step.said.get("callid") in seen
    return tuple(
        (name, _readable(audience, name, value, zone))
        for name, value in step.said.items()
        if name not in LEFT_OUT and (is_theirs or name not in OF_THE_CALLER)
    )


def _readable(audience: Audience, name: str, value: object, zone: tzinfo) -> str:
    if name in MOMENTS and isinstance(value, int):
        return f"{datetime.fromtimestamp(value / 1000, zone):%Y-%m-%d %H:%M:%S}"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    if not audience.masked:
        return text
    # A call's id may hold the caller's number: another word for it still tells calls apart.
    return hashed_id(text, "c") if name == "callid" else masked(name, text)


ROUTES: list[BaseRoute] = [Route("/agents/{extension}/events", events, methods=["GET"])]
