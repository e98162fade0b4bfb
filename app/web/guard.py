"""Who is asking, and whether they may. Every handler that shows or does something asks here.

Rights are read anew each time. Nothing here looks at the path: a handler names the right it needs.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket

from app.access import Access
from app.access.sessions import Ending, Sessions
from app.access.walls import Walls
from app.audit import Actor, Deed
from app.database import DatabaseUnavailable
from app.render import hashed_id
from app.rights import Principal, Right, Role, Target, refusal
from app.sentences import Sentence
from app.tables import Job
from app.web import cookies
from app.web.origin import is_ours
from app.web.parts import parts_of

# A WebSocket closes with this when its session is over: its page shows "signed out", for good.
SIGNED_OUT = 4401
# … and with this when its page was made for other rights, or another wall: it loads itself anew.
CHANGED = 4205
MOST_BOARDS = 10
SIGN_IN = Sentence("Sign in first.")

logger = logging.getLogger(__name__)


class SignInNeeded(Exception):
    """Nobody is signed in."""


class Refused(Exception):
    """Somebody is signed in, and may not. The text says why, to them."""


class ConfirmationNeeded(Exception):
    """The password must be given again before this."""


def access_of(connection: HTTPConnection) -> Access:
    return parts_of(connection).access


def address_of(connection: HTTPConnection) -> str:
    """The TCP peer. Headers that claim another one are not believed."""
    return connection.client.host[:64] if connection.client else ""


def person_of(connection: HTTPConnection) -> Principal | None:
    """Who is signed in, with the rights of this moment."""
    access = access_of(connection)
    session = access.sessions.find(cookies.read(connection, cookies.SESSION))
    return None if session is None else access.accounts.principal(session)


def wall_of(connection: HTTPConnection) -> Principal | None:
    """Which wall display this is."""
    walls = access_of(connection).walls
    wall = walls.find(cookies.read(connection, cookies.WALL), address_of(connection))
    return None if wall is None else walls.principal(wall)


def asker_of(connection: HTTPConnection) -> Principal | None:
    """The person who is signed in, or else the wall."""
    return person_of(connection) or wall_of(connection)


def language_of(connection: HTTPConnection) -> str:
    """The person's (or the wall's) own language, else the site's."""
    asker = asker_of(connection)
    return (asker.language if asker else "") or parts_of(connection).settings.language


def said(connection: HTTPConnection, sentence: str) -> str:
    """A sentence of ours in their language, for an answer that is no page."""
    return parts_of(connection).renderer.say(sentence, language_of(connection))


def require_person(connection: HTTPConnection) -> Principal:
    """The person who is signed in; a wall is none. Raises SignInNeeded."""
    person = person_of(connection)
    if person is None:
        raise SignInNeeded
    return person


async def require(
    connection: HTTPConnection, right: Right, target: Target | None = None, mode: str = ""
) -> Principal:
    """The person, if they have this right over this target at this moment.

    Raises SignInNeeded or Refused; a refusal is in the audit.
    """
    asker = asker_of(connection)
    if asker is None:
        raise SignInNeeded
    if why := refusal(asker, right, target):
        await deny(connection, asker, deed_of(right.value, target, mode), why)
        raise Refused(why)
    return asker


def require_confirmed(connection: HTTPConnection, person: Principal) -> None:
    """The password was given within ten minutes. Raises ConfirmationNeeded.

    An unattended desk, or a stolen cookie, then administers nothing.
    """
    if not access_of(connection).sessions.is_confirmed(person.session):
        raise ConfirmationNeeded


async def require_admin(connection: HTTPConnection, *, to_change: bool = False) -> Principal:
    """An administrator; `to_change` something, with the password given lately."""
    admin = await require(connection, Right.ADMINISTER)
    if to_change:
        require_confirmed(connection, admin)
    return admin


async def deny(connection: HTTPConnection, asker: Principal, deed: Deed, why: str) -> None:
    """Note the refusal. It stands even where it can't be written down."""
    try:
        await access_of(connection).audit.denied(actor_of(connection, asker), deed, str(why))
    except DatabaseUnavailable as error:
        logger.error("A refusal is not in the audit: %s", error)


def actor_of(connection: HTTPConnection, person: Principal | None = None) -> Actor:
    """The person as the audit names them; without one, only the address."""
    if person is None:
        return Actor(address=address_of(connection))
    role = person.role.value
    return Actor(person.user_id, person.name, role, person.session, address_of(connection))


async def note(connection: HTTPConnection, person: Principal, deed: Deed) -> None:
    """Put the deed into the audit, before it is done. Raises DatabaseUnavailable: do not."""
    await access_of(connection).audit.done(actor_of(connection, person), deed)


def along(connection: HTTPConnection, person: Principal | None, deed: Deed) -> Job:
    """The note of a deed, to be kept in the deed's own transaction: both or neither."""
    return access_of(connection).audit.along(actor_of(connection, person), deed)


def deed_of(action: str, target: Target | None, mode: str = "", reason: str = "") -> Deed:
    """The action and its target as the audit puts them."""
    aim = target or Target()
    return Deed(
        action=action,
        mode=mode,
        extension=aim.extension,
        agent_name=aim.agent_name,
        callid=aim.callid,
        queue=aim.queue,
        direction=aim.direction,
        phone=aim.phone,
        reason=reason,
    )


async def admit(
    socket: WebSocket, find: Callable[[HTTPConnection], Principal | None]
) -> Principal | None:
    """Who opens this WebSocket; None when it was turned away, which is before the handshake.

    Only a page of ours may, for whom `find` finds (a person or a wall), ten at a time.
    """
    asker = find(socket)
    refused = await _refused(socket, asker)
    if refused is None:
        return asker
    status, why = refused
    await socket.send_denial_response(PlainTextResponse(f"{said(socket, why)}\n", status))
    return None


async def _refused(socket: WebSocket, asker: Principal | None) -> tuple[int, str] | None:
    """The status and the words of a refusal; None when there is none."""
    if not is_ours(socket.headers, parts_of(socket).settings.public_url):
        if asker is not None:
            await deny(socket, asker, Deed("open a live board"), "the page was not ours")
        return 403, Sentence("This page is not ours.")
    if asker is None:
        return 401, SIGN_IN
    if _keeper_of(socket, asker).boards_of(asker.user_id) >= MOST_BOARDS:
        return 429, Sentence("Too many boards are open already.")
    return None


def _keeper_of(connection: HTTPConnection, asker: Principal) -> Sessions | Walls:
    access = access_of(connection)
    return access.walls if asker.role is Role.WALL else access.sessions


def made_for(asker: Principal) -> str:
    """All that decides how their page looks, as one word for the page to say when it comes back."""
    queues = None if asker.queues is None else sorted(asker.queues)
    look = (asker.name, asker.language, asker.layout, asker.masking, asker.theme)
    return hashed_id(repr((look, asker.extension, queues, sorted(asker.rights))), "m")


async def wait_ended(connection: HTTPConnection, asker: Principal) -> int:
    """Return as soon as this WebSocket must close, with the code to close it with.

    At once for a page that was made for what they no longer are: it was away when that changed.
    """
    made = made_for(asker)
    if connection.query_params.get("made", made) != made:
        return CHANGED
    ending = await _keeper_of(connection, asker).wait_ended(asker.session)
    return SIGNED_OUT if ending is Ending.SIGNED_OUT else CHANGED


@contextmanager
def open_board(connection: HTTPConnection, asker: Principal) -> Iterator[None]:
    """While a board is open the session is in use, and the wall is seen."""
    with _keeper_of(connection, asker).open_board(asker.session):
        yield
