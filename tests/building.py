"""The running application, with somebody of every role signed in and a wall."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access import Access
from app.access.walls import Display
from app.main import create_app, wall_clock
from app.rights import Role
from app.settings import Settings
from app.web.parts import Parts

PUBLIC = "https://board.example.test"
PASSWORD = "seven grey herons"
TOKEN = "a-program's-token"


class FromMany:
    """The application as asked from ever new addresses, which no limit per address slows down."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.asked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            self.asked += 1
            scope["client"] = (f"10.{self.asked // 250 % 250}.{self.asked % 250}.1", 40_000)
        await self.app(scope, receive, send)


class Building:
    """A client of the application, its parts, and the headers by which each one knocks."""

    def __init__(self, client: TestClient, parts: Parts) -> None:
        assert client.portal
        self.client = client
        self.call = client.portal.call
        self.parts = parts
        self.access = parts.access
        self.keys = self.call(keys_of, parts.access)


@contextmanager
def opened_building(
    folder: Path, clock: Callable[[], int] = wall_clock, **more: str
) -> Iterator[Building]:
    """Everything runs until the block ends; `more` are settings of the environment."""
    settings = Settings.from_env(
        {
            "PITWALL_PUBLIC_URL": PUBLIC,
            "PITWALL_LOG": f"sqlite:{folder / 'test.db'}",
            "PITWALL_API_TOKEN": TOKEN,
            "PITWALL_TIMEZONE": "UTC",
            **more,
        }
    )
    found: list[Parts] = []

    async def find(parts: Parts) -> None:
        found.append(parts)

    app = create_app(settings, clock, on_start=find)
    with TestClient(FromMany(app), base_url=PUBLIC) as client:
        yield Building(client, found[0])


async def keys_of(access: Access) -> dict[str, dict[str, str]]:
    """The headers of everybody: a cookie, a token, or nothing."""
    keys = {"anybody": {}, "program": {"Authorization": f"Bearer {TOKEN}"}}
    for role in (Role.VIEWER, Role.SUPERVISOR, Role.ADMIN):
        # Whoever another machine of the cluster knows is known here.
        if access.accounts.named(role.value) is None:
            await access.accounts.create_user(role.value, role, PASSWORD)
        keys[role.value] = await signed_in(access, role.value)
    token = await access.walls.add(Display("Hall"), "admin", "192.0.2.9")
    keys["wall"] = {"Cookie": f"__Host-wall={token}"}
    return keys


async def signed_in(access: Access, username: str) -> dict[str, str]:
    """The cookie of a new session of this user."""
    account = access.accounts.named(username)
    assert account
    secret = await access.sessions.open(account.user_id, "192.0.2.1", "")
    return {"Cookie": f"__Host-sid={secret}"}
