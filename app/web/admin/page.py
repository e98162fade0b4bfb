"""What the administrators' pages share: the frame, a change of the floor, and the note of it.

Nothing is changed that is not in the audit: the note comes first or, where tables beside it are
changed, in the same transaction.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.audit import Deed
from app.database import DatabaseUnavailable
from app.domain.events import Event
from app.log import LogUnavailable
from app.rights import Principal
from app.sentences import Sentence
from app.web.forms import Form, FormProblem, form_of
from app.web.guard import access_of, actor_of, require_admin, require_person
from app.web.pages import render
from app.web.parts import parts_of

# The floor follows the log within milliseconds; a page waits this long to show the change itself.
PATIENCE_S = 2.0
NOTHING = Sentence("There is no such thing to do.")

logger = logging.getLogger(__name__)

Action = Callable[[Request, Principal, Form], Awaitable[Response]]


class AdminProblem(Exception):
    """The change is not made; the text says why and what to do."""


def shown(request: Request, template: str, status: int = 200, **context: object) -> HTMLResponse:
    """A page with `problem` or `done` on top, and whether a change asks for the password first."""
    session = require_person(request).session
    confirmed = access_of(request).sessions.is_confirmed(session)
    given = {"problem": "", "done": "", "confirmed": confirmed, "path": request.scope["path"]}
    return render(request, template, status, **{**given, **context})


async def act(request: Request, actions: Mapping[str, Action], largest: int = 0) -> Response:
    """Do what the form's `do` names, as an administrator who gave the password lately.

    `largest` is how many bytes the form may have, where that is more than usual.
    """
    admin = await require_admin(request, to_change=True)
    form = await (form_of(request, largest) if largest else form_of(request))
    action = actions.get(form.one("do"))
    if action is None:
        raise FormProblem(NOTHING)
    return await action(request, admin, form)


async def change_floor(
    request: Request, person: Principal, deeds: Sequence[Deed], events: Sequence[Event]
) -> None:
    """Say in the audit what is meant, append the events; return once they are on the floor.

    Raises DatabaseUnavailable, LogUnavailable: then nothing was changed.
    """
    parts = parts_of(request)
    intents = await access_of(request).audit.intents(actor_of(request, person), deeds)
    try:
        seq = await parts.log.append(events)
    except LogUnavailable as error:
        await _conclude(request, intents, f"failed: {error}")
        raise
    await _conclude(request, intents, "done")
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            await parts.projector.wait_for(seq)


async def _conclude(request: Request, intents: Sequence[int], outcome: str) -> None:
    """How it ended; it stays as it is where that can't be written down."""
    try:
        await access_of(request).audit.results(intents, outcome)
    except DatabaseUnavailable as error:
        logger.error("The audit has intents without their results: %s: %s", intents, error)
