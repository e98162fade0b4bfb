"""A webhook receiver on a real server in a thread, and a client that speaks to it in raw bytes."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any, Self, TypeVar, cast
from zoneinfo import ZoneInfo

import uvicorn
from starlette.applications import Starlette

from app.database import Database
from app.domain.events import Event
from app.log import EventLog
from app.log.memory import MemoryLog
from app.peers import IPNetwork
from app.protocol import server_config
from app.unparsable import Unparsable
from app.web import hooks
from app.webhook_journal import WebhookJournal
from app.webhook_tokens import WebhookTokens

T = TypeVar("T")
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
STRANGERS = (ip_network("198.51.100.0/24"),)
PATIENCE_S = 20.0


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class HookSettings:
    """What of the settings the receiver reads."""

    timezone: ZoneInfo = ZONE
    webhook_allow: tuple[IPNetwork, ...] = STRANGERS
    webhook_from: tuple[IPNetwork, ...] = ()


@dataclass
class HookParts:
    """What of the application's parts the receiver reads."""

    log: EventLog
    database: Database
    journal: WebhookJournal
    tokens: WebhookTokens
    settings: HookSettings = field(default_factory=HookSettings)
    clock: Callable[[], int] = now_ms


@dataclass(frozen=True)
class Answer:
    """What came back: status 0 when the server just closed."""

    status: int
    headers: dict[str, str]
    body: bytes
    raw: bytes

    @property
    def text(self) -> str:
        return self.raw.decode("latin-1")


class Receiver:
    """Serves the hook alone: nothing but a webhook adds to its log."""

    def __init__(self) -> None:
        self.parts = cast(HookParts, None)
        self.revoked = self.previous = self.token = ""
        self._loop = cast(asyncio.AbstractEventLoop, None)
        self._unparsable = Unparsable(now_ms)
        self._listening = socket.create_server(("127.0.0.1", 0))
        app = Starlette(routes=hooks.ROUTES, lifespan=self._lifespan)
        self._server = uvicorn.Server(server_config(app, self._unparsable.add, log_config=None))
        self._thread = threading.Thread(target=self._server.run, args=([self._listening],))

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + PATIENCE_S
        while not self._server.started:
            assert self._thread.is_alive(), "the receiver did not start"
            assert time.monotonic() < deadline, "the receiver takes too long to start"
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(PATIENCE_S)
        self._listening.close()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def connections(self) -> int:
        """How many the server holds to be open: when it stops it waits for them."""
        return len(self._server.server_state.connections)

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run it where the receiver runs."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE_S)

    def newest_event(self) -> Event:
        """The last event in the log."""

        async def last() -> Event:
            async for batch in self.parts.log.follow(self.parts.log.last_seq - 1):
                return batch[-1].event
            raise AssertionError("the log ended")

        return self.call(last())

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        """A connection from a loopback address of the caller's choice."""
        return socket.create_connection(
            self._listening.getsockname(), PATIENCE_S, source_address=(source, 0)
        )

    def exchange(self, request: bytes, source: str = "127.0.0.1", method: str = "GET") -> Answer:
        """Send the bytes, as far as the server takes them, and read one answer."""
        with self.connect(source) as connection:
            send_all(connection, request)
            return read_answer(connection, method)

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[dict[str, HookParts]]:
        self._loop = asyncio.get_running_loop()
        database = await Database.open(":memory:")
        tokens = await WebhookTokens.open(database, now_ms)
        self.revoked = tokens.made or ""
        self.previous, self.token = await tokens.rotate(), await tokens.rotate()
        journal = await WebhookJournal.open(database, now_ms, self._unparsable)
        self.parts = HookParts(MemoryLog(now_ms), database, journal, tokens)
        yield {"parts": self.parts}
        await journal.close()
        await database.close()


def send_all(connection: socket.socket, data: bytes) -> None:
    """A server that refuses early may close while we still send; its answer is what counts."""
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(data)


def read_answer(connection: socket.socket, method: str = "GET") -> Answer:
    """Read one answer, or until the server closes."""
    raw = b""
    while not _is_complete(raw, method):
        try:
            piece = connection.recv(65536)
        except ConnectionResetError:
            break
        if not piece:
            break
        raw += piece
    return parse_answer(raw)


def parse_answer(raw: bytes) -> Answer:
    """The first answer in the bytes."""
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    if not lines[0]:
        return Answer(0, {}, b"", raw)
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    return Answer(int(lines[0].split()[1]), headers, body, raw)


def _is_complete(raw: bytes, method: str) -> bool:
    head, end, body = raw.partition(b"\r\n\r\n")
    if not end:
        return False
    declared = parse_answer(head + end).headers.get("content-length", "0")
    return method == "HEAD" or len(body) >= int(declared)
