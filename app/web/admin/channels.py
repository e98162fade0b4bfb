"""The page of channels: who is told of alarms outside the board. Addresses are never shown."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.alerting.channels import LONGEST_URL, Channel, ChannelProblem
from app.alerting.outgoing import is_address
from app.audit import Deed
from app.rights import Principal
from app.sentences import Sentence, joined, wording
from app.web.admin.page import AdminProblem, act, shown
from app.web.admin.roster import label_in
from app.web.forms import Form
from app.web.guard import along, note, require_admin
from app.web.parts import parts_of

LEVELS = {"1": 1, "2": 2}
NO_ADDRESS = Sentence(
    "This is no address that Pitwall can send to. Examples: mailtos://user:password@example.org, "
    "json://host/path, slack://token/#channel."
)


async def channels_page(request: Request) -> Response:
    await require_admin(request)
    return _shown(request)


def _shown(request: Request, status: int = 200, **said: object) -> Response:
    parts = parts_of(request)
    given = {"channels": parts.channels.all(), "queue_name": parts.floor.queue_name, "who": ""}
    return shown(request, "admin_channels.html", status, **{**given, **said})


async def change_channels(request: Request) -> Response:
    """What `do` names; without it a channel is added."""
    try:
        return await act(request, {"": add, "remove": remove, "test": try_out})
    except (AdminProblem, ChannelProblem) as problem:
        return _shown(request, 422, problem=wording(problem))


async def add(request: Request, admin: Principal, form: Form) -> Response:
    name, url = label_in(form.one("name")), form.one("url").strip()
    level = LEVELS.get(form.one("level", "1"))
    if level is None:
        raise AdminProblem("The level is warning or critical.")
    if not 1 <= len(url) <= LONGEST_URL or not await asyncio.to_thread(is_address, url):
        raise AdminProblem(NO_ADDRESS)
    scope = label_in(form.one("scope"))
    cleared = form.one("tells_cleared") == "1"
    noting = along(request, admin, Deed("add alarm channel", reason=name))
    await parts_of(request).channels.add(name, url, level, scope, cleared, noting)
    return _shown(request, done="added", who=name)


async def remove(request: Request, admin: Principal, form: Form) -> Response:
    channel = _known(request, form)
    noting = along(request, admin, Deed("remove alarm channel", reason=channel.name))
    await parts_of(request).channels.remove(channel.channel, noting)
    return _shown(request, done="removed", who=channel.name)


async def try_out(request: Request, admin: Principal, form: Form) -> Response:
    """Send a message that says it is a test."""
    channel, parts = _known(request, form), parts_of(request)
    body = f"A test by {admin.name}. Alarms will come this way."
    await note(request, admin, Deed("test alarm channel", reason=channel.name))
    if error := await parts.notifier.attempt(channel.url, "Pitwall: test", body):
        raise AdminProblem(joined(": ", [channel.name, error]))
    return _shown(request, done="tested", who=channel.name)


def _known(request: Request, form: Form) -> Channel:
    channel = parts_of(request).channels.find(form.one("channel"))
    if channel is None:
        raise AdminProblem("This channel was removed meanwhile; nothing was changed.")
    return channel


ROUTES: list[BaseRoute] = [
    Route("/admin/channels", channels_page, methods=["GET"]),
    Route("/admin/channels", change_channels, methods=["POST"]),
]
