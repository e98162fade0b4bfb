"""The whole application on a real port, in a thread of this process, so that tests see inside."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Self, TypeVar, cast

import uvicorn

from app.main import create_app, wall_clock
from app.protocol import BOARDS_PER_S, server_config
from app.rights import Role
from app.server import listen
from app.settings import Settings
from app.unparsable import Unparsable
from app.web.live_protocol import LiveProtocol
from app.web.parts import Parts
from tests.receiver import Answer, read_answer, send_all
from tests.waiting import wait_for

T = TypeVar("T")
TOKEN = "a-token-that-only-tests-have"
PASSWORD = "seven grey herons"
PATIENCE_S = 20.0
# Argon2 takes its time, and here nobody guesses.
SESSIONS_EACH = 20


class Served:
    """`overrides` are options of uvicorn; `more` are settings of the environment."""

    def __init__(
        self,
        folder: Path,
        overrides: dict[str, Any] | None = None,
        boards_per_s: float = BOARDS_PER_S,
        **more: str,
    ) -> None:
        self.listening = listen("127.0.0.1", 0)
        self.port = int(self.listening.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        environ = {
            "PORT": str(self.port),
            "PITWALL_PUBLIC_URL": self.url,
            "PITWALL_LOG": f"sqlite:{folder / 'served.db'}",
            "PITWALL_WEBHOOK_TOKEN": TOKEN,
            "PITWALL_TIMEZONE": "UTC",
        }
        self.parts = cast(Parts, None)
        self.cookies: list[str] = []
        self._loop = cast(asyncio.AbstractEventLoop, None)
        self._unparsable = Unparsable(wall_clock)
        app = create_app(
            Settings.from_env({**environ, **more}),
            on_start=self._started,
            unparsable=self._unparsable,
        )
        options = {"ws": LiveProtocol, "log_config": None, **(overrides or {})}
        self._server = uvicorn.Server(
            server_config(app, self._unparsable.add, boards_per_s, **options)
        )
        self._thread = threading.Thread(target=self._server.run, args=([self.listening],))

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + PATIENCE_S
        while not self._server.started:
            assert self._thread.is_alive(), "the application did not start"
            assert time.monotonic() < deadline, "the application takes too long to start"
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(PATIENCE_S)
        self.listening.close()

    async def _started(self, parts: Parts) -> None:
        self._loop, self.parts = asyncio.get_running_loop(), parts

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run it where the application runs."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE_S)

    def cookie(self, name: str = "ann", role: Role = Role.SUPERVISOR) -> str:
        """A new session of that user, who is made when new."""

        async def opened() -> str:
            accounts = self.parts.access.accounts
            user = accounts.named(name) or await accounts.create_user(name, role, PASSWORD)
            return await self.parts.access.sessions.open(user.user_id, "127.0.0.1", "")

        return f"sid={self.call(opened())}"

    def hook(self, path: str, **parameters: str) -> int:
        """One webhook over a connection of its own; the status of its answer."""
        return self.exchange(request_of(path, **parameters)).status

    def exchange(self, request: bytes, source: str = "127.0.0.1") -> Answer:
        """Send the bytes, as far as the server takes them, and read one answer."""
        with socket.create_connection(
            ("127.0.0.1", self.port), PATIENCE_S, source_address=(source, 0)
        ) as connection:
            send_all(connection, request)
            return read_answer(connection)


def request_of(path: str, token: str = TOKEN, **parameters: str) -> bytes:
    """A webhook as the PBX sends it. `path` is what follows `/api`."""
    query = "&".join(f"{name}={value}" for name, value in parameters.items())
    return f"GET /hook/{token}/api{path}?{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def until(condition: Callable[[], bool], seconds: float = 10.0) -> float:
    """Wait for the condition; how long it took. Fails when it does not come true in time."""
    began = time.monotonic()
    wait_for(condition, seconds)
    return time.monotonic() - began
