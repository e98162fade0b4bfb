"""The wall: a screen that nobody touches, for a paired display or as a preview for people."""

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from app.access.walls import THEMES
from app.audience import LAYOUTS, Audience
from app.rights import Principal, Right, Role
from app.web import cookies, guard
from app.web.board import drawn, serve_live
from app.web.pages import go
from app.web.parts import parts_of

WALL = "/wall"
WALL_DAYS = 180
PREVIEWED = ("layout", "queue", "theme")


def display_of(connection: HTTPConnection) -> Principal | None:
    """The paired wall; or who is signed in and wants to see how one would look."""
    if any(name in connection.query_params for name in PREVIEWED):
        return guard.person_of(connection)
    return guard.wall_of(connection)


def audience_of(connection: HTTPConnection, asker: Principal) -> Audience:
    """What this wall shows. A preview looks like a wall that shows its viewer's queues."""
    asked = connection.query_params
    is_wall = asker.role is Role.WALL
    layout = asker.layout if is_wall else asked.get("layout", "")
    return Audience(
        page="wall",
        layout=layout if layout in LAYOUTS else "overview",
        language=asker.language or parts_of(connection).settings.language,
        queues=asker.queues if is_wall else _narrowed(connection, asker, asked.get("queue", "")),
        masked=is_wall or not asker.may(Right.SEE_NUMBERS),
        hidden=asker.masking == "hidden",
    )


def _narrowed(connection: HTTPConnection, asker: Principal, queue: str) -> frozenset[str] | None:
    """That queue, if there is one and they may see it; without one, all that they may."""
    is_there = queue in parts_of(connection).floor.state.queues
    return frozenset({queue}) if is_there and asker.sees_queue(queue) else asker.queues


async def wall(request: Request) -> Response:
    """The whole page; without a wall's cookie, a preview for who is signed in, else the pairing.

    Every load lets a wall's cookie live another 180 days.
    """
    asker = display_of(request) or guard.person_of(request)
    if asker is None:
        return go(request, "/pair")
    response = _page(request, asker)
    if asker.role is Role.WALL:
        token = cookies.read(request, cookies.WALL)
        cookies.give(request, response, cookies.WALL, token, WALL_DAYS)
    return response


def _page(request: Request, asker: Principal) -> Response:
    parts, audience = parts_of(request), audience_of(request, asker)
    html = parts.renderer.page(
        "wall.html",
        audience.language,
        name=_title(request, asker, audience),
        layout=audience.layout,
        theme=_theme(request, asker),
        feed=_feed(request, asker, audience),
        board=drawn(parts.screens.screen(audience)),
        zone=str(parts.renderer.zone),
    )
    return HTMLResponse(html)


def _title(request: Request, asker: Principal, audience: Audience) -> str:
    """A wall's own name; where it shows one queue, that queue's."""
    if audience.layout == "queue" and audience.queues is not None and len(audience.queues) == 1:
        return parts_of(request).floor.queue_name(next(iter(audience.queues)))
    return asker.name if asker.role is Role.WALL else "Pitwall"


def _theme(request: Request, asker: Principal) -> str:
    theme = asker.theme or request.query_params.get("theme", "")
    return theme if theme in THEMES else THEMES[0]


def _feed(request: Request, asker: Principal, audience: Audience) -> str:
    """Where the frames come from; a preview says again what it is a preview of."""
    made = guard.made_for(asker)
    if asker.role is Role.WALL:
        return f"{WALL}/live?made={made}"
    queue = next(iter(audience.queues or ()), "") if "queue" in request.query_params else ""
    wanted = request.url.include_query_params(layout=audience.layout, queue=queue, made=made)
    return f"{WALL}/live?{wanted.query}"


async def live(socket: WebSocket) -> None:
    """Frames for one wall."""
    asker = await guard.admit(socket, display_of)
    if asker is not None:
        await serve_live(socket, asker, audience_of(socket, asker))


async def alive(request: Request) -> Response:
    """Whether this server answers, and this wall may still show anything."""
    known = guard.wall_of(request) or guard.person_of(request)
    return Response(status_code=204 if known else 401)


ROUTES: list[BaseRoute] = [
    Route(WALL, wall, methods=["GET"]),
    Route(f"{WALL}/alive", alive, methods=["GET"]),
    WebSocketRoute(f"{WALL}/live", live),
]
