"""What every handler may reach: the parts of the running application, built once by `main`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from starlette.requests import HTTPConnection
from starlette.types import Scope

from app.database import Database
from app.domain.floor import Floor
from app.log import EventLog
from app.screen import Screens
from app.settings import Settings
from app.webhook_journal import WebhookJournal


@dataclass(frozen=True, slots=True)
class Parts:
    """The floor is read-only here: only the projector writes it."""

    settings: Settings
    log: EventLog
    database: Database
    floor: Floor
    screens: Screens
    journal: WebhookJournal
    clock: Callable[[], int]
    """Milliseconds since the epoch, UTC: the same clock that stamps the log."""


def parts_of(connection: HTTPConnection) -> Parts:
    """The application's parts, from any request or WebSocket."""
    return cast(Parts, connection.state.parts)


def parts_in(scope: Scope) -> Parts:
    """The same for a bare ASGI endpoint."""
    return cast(Parts, scope["state"]["parts"])
