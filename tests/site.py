"""A whole site in memory for tests of its pages: real accounts, audit and templates, no floor."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access import Access
from app.access.oidc import Oidc
from app.access.passwords import Passwords
from app.audit import AuditRow
from app.database import Database
from app.render import Renderer
from app.rights import Right, Role, Target
from app.web import account, audit_pages, auth, guard, oidc, users, walls
from app.web.csrf import CrossSiteGuard
from app.web.headers import SecurityHeaders
from app.web.pages import EXCEPTION_HANDLERS

PUBLIC = "https://board.example.test"
PASSWORD = "seven grey herons"
OURS = {"Sec-Fetch-Site": "same-origin", "HX-Request": "true"}
ADDRESS = "192.0.2.1"


async def board(request: Request) -> Response:
    """Stands for the board: for people only."""
    return PlainTextResponse(f"the board of {guard.require_person(request).name}")


async def pause(request: Request) -> Response:
    """Stands for an action."""
    target = Target(extension="101", agent_name="Bob", queues=("999",))
    person = await guard.require(request, Right.PAUSE, target)
    return PlainTextResponse(f"paused by {person.name}")


async def hook(request: Request) -> Response:
    return PlainTextResponse("heard")


ROUTES = [
    Route("/", board, methods=["GET"]),
    Route("/pause", pause, methods=["POST"]),
    Route("/hook/{rest:path}", hook, methods=["GET", "POST"]),
    Route("/api/callcenter/{rest:path}", hook, methods=["GET", "POST"]),
    Route("/api/v1/floor", hook, methods=["GET", "POST"]),
    *auth.ROUTES,
    *oidc.ROUTES,
    *account.ROUTES,
    *users.ROUTES,
    *walls.ROUTES,
    *audit_pages.ROUTES,
]


class Site:
    """The application, its accounts, and a clock to turn."""

    def __init__(self, database: Database, public: str) -> None:
        self.database = database
        self.public = public
        self.now = 1_800_000_000_000
        self.access: Access
        self.parts: Any = None
        self.stack = AsyncExitStack()
        self.app: ASGIApp = Starlette(
            routes=ROUTES,
            middleware=[Middleware(SecurityHeaders), Middleware(CrossSiteGuard)],
            exception_handlers=EXCEPTION_HANDLERS,
        )

    async def load(self) -> "Site":
        self.access = await Access.open(
            self.database,
            lambda: self.now,
            passwords=Passwords(time_cost=1, memory_cost=8),
            monotonic=lambda: self.now / 1000,
        )
        self.parts = SimpleNamespace(
            settings=SimpleNamespace(public_url=self.public, language="en"),
            renderer=Renderer(ZoneInfo("UTC"), "test"),
            access=self.access,
            clock=lambda: self.now,
        )
        return self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {"parts": self.parts}
        await self.app(scope, receive, send)

    def visitor(self, address: str = ADDRESS) -> httpx2.AsyncClient:
        """A browser of its own: no cookies, no redirects followed, no headers but httpx's."""
        transport = httpx2.ASGITransport(app=self, client=(address, 40_000))
        return httpx2.AsyncClient(transport=transport, base_url=self.public)

    async def signed_in(self, username: str, role: Role, **details: Any) -> httpx2.AsyncClient:
        """A browser in which this user, made for it, has just signed in."""
        if self.access.accounts.named(username) is None:
            await self.access.accounts.create_user(username, role, PASSWORD, **details)
        visitor = self.visitor()
        await visitor.post("/login", data={"username": username, "password": PASSWORD})
        return visitor

    def use_provider(self, provider: Oidc) -> None:
        """Let people sign in by this provider."""
        self.access = replace(self.access, oidc=provider)
        self.parts.access = self.access

    async def audited(self) -> list[AuditRow]:
        return await self.access.audit.page()


@asynccontextmanager
async def opened(path: str, public: str = PUBLIC) -> AsyncIterator[Site]:
    """A site over a new database."""
    database = await Database.open(path)
    try:
        yield await Site(database, public).load()
    finally:
        await database.close()


def found(pattern: str, page: str) -> str:
    """What the pattern's group matches in the page."""
    match = re.search(pattern, page)
    assert match, f"no {pattern} in {page}"
    return match[1]


def code_in(page: str) -> str:
    """The pairing code that the page shows."""
    return found(r'class="code"[^>]*>([A-Z0-9 ]+)<', page)
