"""What every handler may reach: the parts of the running application, built once by `main`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from starlette.requests import HTTPConnection
from starlette.types import Scope

from app.access import Access
from app.actions import Actions
from app.alerting.channels import Channels
from app.alerting.notifier import Notifier
from app.database import Database
from app.domain.floor import Floor
from app.history.follower import History
from app.keeping.upkeep import Upkeep
from app.log import EventLog
from app.pbx import Pbx
from app.projector import Projector
from app.reconciler import Reconciler
from app.render import Audience, Renderer
from app.rewind import Rewind
from app.screens import Screens
from app.settings import Settings
from app.tables import Tables
from app.webhook_journal import WebhookJournal
from app.webhook_tokens import WebhookTokens


@dataclass(frozen=True, slots=True)
class Parts:
    """One running application."""

    settings: Settings
    log: EventLog
    database: Database
    tables: Tables
    """Where accounts, sessions and the audit are: in `database`, or shared among nodes."""
    projector: Projector
    renderer: Renderer
    journal: WebhookJournal
    tokens: WebhookTokens
    access: Access
    pbx: Pbx
    reconciler: Reconciler
    actions: Actions
    channels: Channels
    notifier: Notifier
    history: History
    upkeep: Upkeep
    rewind: Rewind
    clock: Callable[[], int]
    """Milliseconds since the epoch, UTC: the same clock that stamps the log."""

    @property
    def floor(self) -> Floor:
        """The floor, to read: only the projector writes it."""
        return self.projector.floor

    @property
    def screens(self) -> Screens[Audience]:
        """What viewers see, one screen per audience."""
        return self.projector.screens


def parts_of(connection: HTTPConnection) -> Parts:
    """The application's parts, from any request or WebSocket."""
    return cast(Parts, connection.state.parts)


def parts_if_open(scope: Scope) -> Parts | None:
    """The same for middleware, which is asked where no site is open, too."""
    return cast(Parts | None, scope.get("state", {}).get("parts"))


def parts_in(scope: Scope) -> Parts:
    """The same for a bare ASGI endpoint."""
    return cast(Parts, scope["state"]["parts"])
