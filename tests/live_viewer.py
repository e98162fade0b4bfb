"""Viewers of a live board without a browser: good ones, and some that behave in no good way.

Raw WebSockets on purpose: a library would not let a test misbehave.
"""

import asyncio
import re
import socket
import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
DEFLATED = 0x40
# What browsers ask for; the server sends each frame compressed then, once for all.
AS_BROWSERS = ("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",)
VERSION = re.compile(rb'data-version="(\d+)"')
# What a good viewer must never do, some here do.
READS_NOTHING = "reads nothing"
ACKNOWLEDGES_NOTHING = "acknowledges nothing"


@dataclass
class Viewer(asyncio.Protocol):
    """One board. `on_frame` is told each frame's HTML and when it was whole (monotonic seconds)."""

    port: int
    cookie: str
    manner: str = ""
    path: str = "/live"
    headers: tuple[str, ...] = ()
    origin_port: int = 0
    host: str = "127.0.0.1"
    on_frame: Callable[[bytes, float], None] | None = None
    status: int = 0
    head: bytes = b""
    frames: int = 0
    received: int = 0
    version: bytes = b""
    code: int | None = None
    reason: bytes = b""
    is_open: bool = False
    connection: socket.socket | None = None
    opened: "asyncio.Future[int]" = field(default_factory=lambda: _future())
    whole: "asyncio.Future[None]" = field(default_factory=lambda: _future())
    gone: "asyncio.Future[None]" = field(default_factory=lambda: _future())
    _buffer: bytearray = field(default_factory=bytearray)
    _inflate: Any = field(default_factory=lambda: zlib.decompressobj(-12))

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        origin = f"http://{self.host}:{self.origin_port or self.port}"
        lines = [
            f"GET {self.path} HTTP/1.1",
            f"Host: {self.host}:{self.port}",
            f"Origin: {origin}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
            "Sec-WebSocket-Version: 13",
            f"Cookie: {self.cookie}",
            *self.headers,
        ]
        transport.write("\r\n".join([*lines, "", ""]).encode())

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        self._buffer += data
        if self.opened.cancelled() or (not self.opened.done() and not self._read_head()):
            return
        while (frame := self._take()) is not None:
            self._note(*frame)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if not self.opened.done():
            self.opened.set_result(self.status)
        for promise in (self.whole, self.gone):
            if not promise.done():
                promise.set_result(None)

    def say(self, text: bytes | str, opcode: int = TEXT) -> None:
        """One frame to the server."""
        payload = text.encode() if isinstance(text, str) else text
        self.transport.write(frame_of(payload, opcode))

    def _read_head(self) -> bool:
        head, end, _ = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return False
        self.head, self.status = bytes(head), int(head[9:12])
        self.is_open = self.status == 101
        del self._buffer[: len(head) + 4]
        self.opened.set_result(self.status)
        if self.manner == READS_NOTHING:
            self.transport.pause_reading()
            return False
        return self.is_open

    def _take(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, start = buffer[1] & 0x7F, 2
        if length > 125:
            start = 4 if length == 126 else 10
            length = int.from_bytes(buffer[2:start], "big")
        if len(buffer) < start + length:
            return None
        first, payload = buffer[0], bytes(buffer[start : start + length])
        del buffer[: start + length]
        if first & DEFLATED:
            payload = self._inflate.decompress(payload + b"\x00\x00\xff\xff")
        return first & 0x0F, payload

    def _note(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self.say(payload, PONG)
        if opcode == CLOSE:
            self.code, self.reason = int.from_bytes(payload[:2], "big"), payload[2:]
            self.say(payload[:2], CLOSE)
        if opcode != TEXT:
            return
        self.frames += 1
        now = time.monotonic()
        if found := VERSION.search(payload):
            self.version = found[1]
            if self.manner != ACKNOWLEDGES_NOTHING:
                self.say(self.version)
        if not self.whole.done():
            self.whole.set_result(None)
        if self.on_frame is not None:
            self.on_frame(payload, now)


def frame_of(payload: bytes, opcode: int = TEXT) -> bytes:
    """A client's frame. The mask is zeros: it need not hide anything here."""
    length = len(payload)
    if length < 126:
        size = bytes((0x80 | length,))
    elif length < 65536:
        size = bytes((0x80 | 126,)) + length.to_bytes(2, "big")
    else:
        size = bytes((0x80 | 127,)) + length.to_bytes(8, "big")
    return bytes((0x80 | opcode,)) + size + bytes(4) + payload


async def look(port: int, cookie: str, manner: str = "", **more: Any) -> Viewer:
    """Open a board; return once the handshake was answered, with whatever status.

    `connection` is a socket that is connected already.
    """
    viewer = Viewer(port, cookie, manner, **more)
    connection = viewer.connection = viewer.connection or await _connected(port, manner)
    await asyncio.get_running_loop().create_connection(lambda: viewer, sock=connection)
    try:
        await viewer.opened
    except asyncio.CancelledError:
        viewer.transport.abort()
        raise
    return viewer


async def _connected(port: int, manner: str) -> socket.socket:
    connection = socket.socket()
    connection.setblocking(False)
    if manner == READS_NOTHING:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
    return connection


class Trickle:
    """A board that is read at so many bytes a second, and acknowledged when a frame is whole."""

    def __init__(self, viewer: Viewer, bytes_per_s: int) -> None:
        self.viewer = viewer
        self._per_s = bytes_per_s

    async def run(self) -> None:
        """Until the server has had enough."""
        transport = self.viewer.transport
        connection = self.viewer.connection
        assert connection is not None
        transport.pause_reading()
        while not self.viewer.gone.done():
            await asyncio.sleep(0.2)
            try:
                data = connection.recv(max(1, self._per_s // 5), socket.MSG_DONTWAIT)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if not data:
                transport.abort()
                await self.viewer.gone
                return
            self.viewer.data_received(data)


def reset(viewer: Viewer) -> None:
    """Drop the connection at once, as when a cable is pulled and the system says so."""
    connection = viewer.transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    viewer.transport.abort()


class Deaf:
    """A proxy on a port of its own that, once told to, passes nothing on: a half-open peer."""

    def __init__(self, port: int) -> None:
        self._target = port
        self.port = 0
        self.hears = asyncio.Event()
        self.hears.set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> "Deaf":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer))

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        lost = False
        while True:
            try:
                data = await source.read(65536)
            except OSError:
                data = b""
            # A connection gives all that was sent, or it ends: never what comes after a gap.
            if not data or (lost and self.hears.is_set()):
                await self.hears.wait()
                sink.transport.abort()
                return
            if self.hears.is_set():
                sink.write(data)
            else:
                lost = True


def _future() -> Any:
    return asyncio.get_running_loop().create_future()
