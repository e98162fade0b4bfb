"""The site of `tests.site` with a floor and everything that supervisors do to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
from starlette.applications import Starlette
from starlette.middleware import Middleware

from app.database import Database
from app.domain.view import AgentCard
from app.rights import Role
from app.web import commands
from app.web.csrf import CrossSiteGuard
from app.web.headers import SecurityHeaders
from app.web.pages import EXCEPTION_HANDLERS
from tests.acting import Acting, running
from tests.site import OURS, PUBLIC, ROUTES, Site

__all__ = ["JSON", "OURS", "ActingSite", "open_site"]
JSON = {**OURS, "Accept": "application/json"}


class ActingSite(Site):
    """`floor` is what the actions act on; they share the site's clock and audit."""

    floor: Acting

    async def load(self) -> "ActingSite":
        await super().load()
        self.app = Starlette(
            routes=[*commands.ROUTES, *ROUTES],
            middleware=[Middleware(SecurityHeaders), Middleware(CrossSiteGuard)],
            exception_handlers=EXCEPTION_HANDLERS,
        )
        self.floor = await Acting(self.database).load(self.access.audit)
        self.floor.now = self.now
        self.parts.actions = self.floor.actions
        self.parts.floor = self.floor.projector.floor
        self.parts.settings.timezone = ZoneInfo("UTC")
        self.parts.clock = lambda: self.floor.now
        return self

    async def supervisor(self, username: str = "ann", **details: Any) -> httpx2.AsyncClient:
        """A browser of a supervisor whose phone is 200."""
        return await self.signed_in(username, Role.SUPERVISOR, **{"extension": "200", **details})

    async def card(self, extension: str) -> AgentCard:
        return await self.floor.card(extension)

    @property
    def asked(self) -> list[tuple[str, ...]]:
        """What the PBX was asked."""
        return self.floor.pbx.calls


@asynccontextmanager
async def open_site() -> AsyncIterator[ActingSite]:
    """All of it, running."""
    database = await Database.open(":memory:")
    try:
        site = await ActingSite(database, PUBLIC).load()
        async with running(site.floor.projector):
            yield site
            await site.floor.actions.close()
    finally:
        await database.close()
