"""The site of the administrators' pages: accounts as in `tests.site`, and a floor that lives."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import time
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.middleware import Middleware

from app.database import Database
from app.domain.days import BusinessDay
from app.domain.events import Event
from app.log.memory import MemoryLog
from app.pbx import Finding, Unreadable
from app.pbx.unconfigured import UnconfiguredPbx
from app.projector import Projector
from app.render import Renderer
from app.settings import Settings
from app.web import admin, auth
from app.web.csrf import CrossSiteGuard
from app.web.headers import SecurityHeaders
from app.web.pages import EXCEPTION_HANDLERS
from app.webhook_journal import WebhookJournal
from app.webhook_tokens import WebhookTokens
from tests.site import OURS, PUBLIC, Site

UTC = ZoneInfo("UTC")
KEY = "canary-key-7c1e"
SETTINGS = Settings(
    host="127.0.0.1",
    port=8000,
    log="memory:",
    public_url=PUBLIC,
    timezone=UTC,
    day_start=time(0, 0),
    language="en",
    webhook_token=None,
    webhook_allow=(),
    api_token=None,
    pbx_url="https://pbx.example.test/company-secret-path",
    pbx_data_url="https://data.example.test",
    pbx_domain="centre.example.test",
    pbx_key=KEY,
)


class TestedPbx(UnconfiguredPbx):
    """A PBX that can only be tested; `findings` is what the test finds."""

    __test__ = False

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.answers: list[Unreadable] = []
        self.tests = 0

    @property
    def unreadable(self) -> Sequence[Unreadable]:
        return self.answers

    async def test_connection(self) -> list[Finding]:
        self.tests += 1
        return self.findings


class AdminSite(Site):
    """The site with a floor, a journal, webhook tokens and a PBX."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, PUBLIC)
        self.app = Starlette(
            routes=[*auth.ROUTES, *admin.ROUTES],
            middleware=[Middleware(SecurityHeaders), Middleware(CrossSiteGuard)],
            exception_handlers=EXCEPTION_HANDLERS,
        )
        self.pbx = TestedPbx()
        self.log = MemoryLog(lambda: self.now)
        renderer = Renderer(UTC, "test")
        self.projector = Projector(self.log, BusinessDay(UTC), renderer, lambda: self.now)

    async def furnish(self, settings: Settings = SETTINGS) -> None:
        self.tokens = await WebhookTokens.open(
            self.database, lambda: self.now, settings.webhook_token
        )
        self.journal = await WebhookJournal.open(self.database, lambda: self.now)
        self.parts = SimpleNamespace(
            settings=settings,
            log=self.log,
            tables=SimpleNamespace(failure=""),
            projector=self.projector,
            floor=self.projector.floor,
            renderer=Renderer(UTC, "test"),
            journal=self.journal,
            tokens=self.tokens,
            access=self.access,
            pbx=self.pbx,
            upkeep=SimpleNamespace(found="", failure="", damaged=[], clock_behind_ms=0),
            clock=lambda: self.now,
        )

    def set(self, **settings: object) -> None:
        self.parts.settings = replace(self.parts.settings, **settings)

    async def happen(self, *events: Event) -> None:
        await self.projector.wait_for(await self.log.append(events))


@asynccontextmanager
async def opened(path: str) -> AsyncIterator[AdminSite]:
    """Such a site, its projector following the log."""
    database = await Database.open(path)
    site = AdminSite(database)
    await site.load()
    await site.furnish()
    follower = asyncio.create_task(site.projector.run())
    try:
        yield site
    finally:
        follower.cancel()
        await asyncio.gather(follower, return_exceptions=True)
        await database.close()


async def post(visitor, path, **fields):
    """As our page does it."""
    return await visitor.post(path, data=fields, headers=OURS)


async def refused(site, visitor, path, **fields):
    """What the form's page says; it was refused, and nothing was stored."""
    before = site.log.last_seq
    answer = await post(visitor, path, **fields)

    assert answer.status_code == 422
    assert site.log.last_seq == before
    return answer.text


async def reasons(site, action):
    """Of the audit's rows that say it was done."""
    rows = [row for row in await site.audited() if row.action == action]
    return [row.reason for row in rows if row.outcome == "done"]
