"""The board: the page as it is now, and the WebSocket that keeps it so."""

from markupsafe import Markup
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from app.pbx.unconfigured import UnconfiguredPbx
from app.render import Audience
from app.rights import ACTING, Principal, Right
from app.screen import Screen
from app.web import guard
from app.web.origin import origin_of
from app.web.parts import Parts, parts_of
from app.web.viewer import Viewer

MOST_VIEWERS = 2500


def audience_of(connection: HTTPConnection, asker: Principal) -> Audience:
    """Whose HTML this connection gets."""
    order = "name" if connection.query_params.get("order") == "name" else "extension"
    return Audience(
        language=asker.language or parts_of(connection).settings.language,
        acts=acts_of(asker, parts_of(connection)),
        queues=asker.queues,
        masked=not asker.may(Right.SEE_NUMBERS),
        order=order,
    )


def acts_of(asker: Principal, parts: Parts) -> frozenset[str]:
    """What the page offers them; each click is checked again."""
    acts = {right.value for right in asker.rights & (ACTING | {Right.READ_AUDIT})}
    if not acts:
        return frozenset()
    acts |= {"phone"} if asker.extension else set()
    return frozenset(acts if isinstance(parts.pbx, UnconfiguredPbx) else acts | {"pbx"})


async def board(request: Request) -> Response:
    """The board for people; a wall has a page of its own."""
    return shown_to(request, guard.require_person(request))


def shown_to(request: Request, asker: Principal) -> Response:
    """The whole page with the board as it is now, so that it is of use before any script runs."""
    parts, audience = parts_of(request), audience_of(request, asker)
    html = parts.renderer.page(
        "board.html",
        audience.language,
        page="board",
        principal=guard.person_of(request),
        acts=audience.acts,
        policy=parts.actions.desk.policy,
        board=drawn(parts.screens.screen(audience)),
        zone=str(parts.renderer.zone),
        feed=f"/live?made={guard.made_for(asker)}",
        only_at=only_at(request, parts),
    )
    return HTMLResponse(html)


def drawn(screen: Screen) -> dict[str, Markup]:
    """Every part of the screen for a page. It comes from templates that escape."""
    return {name: Markup(screen.html(name)) for name in screen.names}  # noqa: S704 - see above


def only_at(request: Request, parts: Parts) -> str:
    """Where live updates work, if that is not the address of this page; else ""."""
    public = parts.settings.public_url
    # The scheme is not compared: behind a proxy that does TLS we never see it.
    expected = origin_of(public)
    if expected and origin_of(f"{expected[0]}://{request.headers.get('host', '')}") != expected:
        return public
    return ""


async def live(socket: WebSocket) -> None:
    """Frames for one person. Others are turned away before the handshake: walls have their own."""
    asker = await guard.admit(socket, guard.person_of)
    if asker is not None:
        await serve_live(socket, asker, audience_of(socket, asker))


async def serve_live(socket: WebSocket, asker: Principal, audience: Audience) -> None:
    """Frames for one who was let in."""
    parts = parts_of(socket)
    if parts.screens.viewers >= MOST_VIEWERS:
        await socket.send_denial_response(PlainTextResponse("Too many viewers.\n", 503))
        return
    with guard.open_board(socket, asker), parts.screens.watch(audience) as screen:
        await socket.accept()
        await Viewer(socket, screen).serve(guard.wait_ended(socket, asker))


async def alive(request: Request) -> Response:
    """Whether this server answers this person: a page asks before it reloads itself."""
    return Response(status_code=204 if guard.person_of(request) else 401)


ROUTES: list[BaseRoute] = [
    Route("/", board),
    Route("/alive", alive),
    WebSocketRoute("/live", live),
]
