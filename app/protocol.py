"""What uvicorn leaves open and an HTTP server must not: deadlines and sizes of half-sent requests.

A connection without a complete request is closed after ten seconds, a head over 16 KiB is
refused, what follows a body is read by nobody, and what the parser refuses is counted: a PBX that
sends such requests must be seen.
"""

import asyncio
import importlib.util
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, cast
from weakref import ref

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.admission import Admission
from app.draining import Draining

HEAD_BYTES = 16 * 1024
# What is kept of a request to tell how it began.
BEGUN_BYTES = 200
HEAD_S = 10.0
BODY_S = 10.0
# What still comes of a request that was answered early is read away, so that a sender in the
# middle of its body gets to see the answer.
LINGER_S = 1.0
# Requests are counted or served all the same, and a stranger could fill the log with these; why a
# start failed was said before.
NOT_WORTH_A_LINE = frozenset(
    {
        "Invalid HTTP request received.",
        "Unsupported upgrade request.",
        "ASGI callable returned without completing handshake.",
        "Invalid UTF-8 sequence received from client.",
        "Application startup failed. Exiting.",
    }
)
BACKLOG = 2048
BOARDS_PER_S = 100.0
NOT_NOW = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\ncontent-length: 0\r\n"
    b"connection: close\r\n\r\n"
)


class MissingPart(Exception):
    """A fast part of the server is not installed; uvicorn would quietly do without."""


class GuardedProtocol(HttpToolsProtocol):
    """One connection.

    `count_refusal` hears the address of each request the parser refused, and how it began.
    """

    count_refusal: Callable[[str, bytes], object] = staticmethod(lambda peer, begun: None)
    admission = Admission(BOARDS_PER_S)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: float | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._in_head = True
        self._head_bytes = 0
        self._begun = b""
        # What came after the head and was no part of a body: trailers, extensions of chunks.
        self._stray_bytes = 0
        # uvicorn makes its own header lines anew each second; here they are as they are sent.
        self._own_headers: list[tuple[bytes, bytes]] = []
        self._own_lines = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_within(HEAD_S)

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
            if len(self._begun) < BEGUN_BYTES:
                self._begun += data
            # Here too: blank lines begin no message, and end uvicorn's own keep-alive timer.
            self._expect_head()
        else:
            self._stray_bytes += len(data)
        super().data_received(data)
        if self._stray_bytes > HEAD_BYTES and not self.transport.is_closing():
            # Without a word: the answer to this request may be under way.
            self._count_refusal()
            self.transport.close()
        if self._in_head and self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect_head()

    def on_headers_complete(self) -> None:
        if self._head_bytes > HEAD_BYTES and self._size_of_head() > HEAD_BYTES:
            # The parser turns this into its own error, and that into a 400.
            raise ValueError("the head of the request is too large")
        self._in_head = False
        self._head_bytes = self._stray_bytes = 0
        # The scope keeps the first list. uvicorn adds trailers to the other, and so an address or
        # a password that comes after the body is believed by nobody.
        self.headers = self.headers.copy()
        super().on_headers_complete()
        self._expect_within(BODY_S)
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None:
            # The handler's task starts after this returns, so it always sees the extension. A weak
            # reference: the cycle holds the scope, and what holds itself only goes when garbage is
            # looked for, which takes long where there are many agents and calls.
            answer: dict[str, Any] = {"pitwall.answer": partial(self.answer, ref(cycle))}
            self.scope["extensions"] = answer

    def answer(self, asked: "ref[RequestResponseCycle]", headers: bytes, body: bytes) -> None:
        """Answer 200 with these header lines: what two messages to uvicorn say, in one write."""
        cycle = asked()
        if cycle is None or cycle.disconnected or cycle.response_started:
            return
        cycle.response_started = cycle.response_complete = True
        self.transport.write(b"".join((self._head_of_200(cycle), headers, b"\r\n", body)))
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()

    def _head_of_200(self, cycle: RequestResponseCycle) -> bytes:
        if self._own_headers is not cycle.default_headers:
            self._own_headers = cycle.default_headers
            self._own_lines = b"".join(b"%b: %b\r\n" % header for header in self._own_headers)
        closing = b"" if cycle.keep_alive else b"connection: close\r\n"
        return b"".join((b"HTTP/1.1 200 OK\r\n", self._own_lines, closing))

    def on_body(self, body: bytes) -> None:
        self._stray_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True
        self._begun = b""
        self._stray_bytes = 0
        self._deadline = None

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._deadline is not None and not self._in_head and not self.transport.is_closing():
            self._expect_nothing()
            self._expect_within(LINGER_S)

    def handle_websocket_upgrade(self) -> None:
        self._expect_nothing()
        if self.admission.admits():
            super().handle_websocket_upgrade()
            # Whoever may have no board, asks for another page or asks wrongly takes no place.
            opened = cast(Any, self.transport.get_protocol())
            opened.turned_away = self.admission.give_back
        else:
            # Before anything is made for it: thousands may come at once.
            self.transport.write(NOT_NOW)
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        self._count_refusal()
        super().send_400_response(msg)

    def _count_refusal(self) -> None:
        self.count_refusal(self.client[0] if self.client else "", self._begun[:BEGUN_BYTES])

    def _size_of_head(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _expect_head(self) -> None:
        if self._deadline is None:
            self._expect_within(HEAD_S)

    def _expect_within(self, seconds: float) -> None:
        # The alarm is not moved for every request: when it goes off it looks at the deadline.
        self._deadline = self.loop.time() + seconds
        if self._alarm is None:
            self._alarm = self.loop.call_later(seconds, self._on_alarm)

    def _expect_nothing(self) -> None:
        self._deadline = None
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _on_alarm(self) -> None:
        self._alarm = None
        if self._deadline is None or self.transport.is_closing():
            return
        left = self._deadline - self.loop.time()
        if left > 0:
            self._alarm = self.loop.call_later(left, self._on_alarm)
        else:
            self.transport.close()


def server_config(
    app: Any,
    count_refusal: Callable[[str, bytes], object] = lambda peer, begun: None,
    boards_per_s: float = BOARDS_PER_S,
    **overrides: Any,
) -> uvicorn.Config:
    """How Pitwall is served. Raises MissingPart; the caller makes and passes the socket."""
    for name in ("uvloop", "httptools", "websockets"):
        if importlib.util.find_spec(name) is None:
            raise MissingPart(f"{name} is not installed. Install requirements.txt and start again.")
    told = {"count_refusal": staticmethod(count_refusal), "admission": Admission(boards_per_s)}
    protocol = type("Protocol", (Draining, GuardedProtocol), told)
    logging.getLogger("uvicorn.error").addFilter(_is_worth_a_line)
    options: dict[str, Any] = {
        "loop": "uvloop",
        "http": protocol,
        "ws": "websockets-sansio",
        "ws_max_size": 4096,
        "ws_ping_interval": 15,
        "ws_ping_timeout": 15,
        # Each connection by itself would cost much; LiveProtocol compresses once for all.
        "ws_per_message_deflate": False,
        "lifespan": "on",
        "proxy_headers": False,
        "server_header": False,
        "access_log": False,
        # At INFO it writes the address of each WebSocket, with whatever secret is in it.
        "log_level": "warning",
        "timeout_keep_alive": 75,
        "timeout_graceful_shutdown": 5,
        "backlog": BACKLOG,
    }
    return uvicorn.Config(app, **(options | overrides))


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    return record.getMessage() not in NOT_WORTH_A_LINE
