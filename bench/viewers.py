"""Many viewers in one process: real WebSockets that read, acknowledge and note when what came.

`python -m bench.viewers '{"port": …, "count": …}'`; further keys see `Plan`. Each question on the
standard input is answered with what was received since the last one.
"""

import asyncio
import re
import sys
import time
import zlib
from dataclasses import dataclass, field
from typing import Any

import msgspec
import uvloop

from bench.processes import questions, say

TEXT, PING, PONG = 1, 9, 0x8A
VERSION = re.compile(rb'data-version="(\d+)"')
CALLER = re.compile(rb">(09\d{8})<")
DEFLATED, WINDOW_BYTES = 0x40, 4096
AT_ONCE = 50
# As a page that paints as fast as frames come: see static/live.js.
AHEAD, SPEAKS_EVERY, SPEAKS_AFTER_S = b" 8", 6, 4.0


class Plan(msgspec.Struct):
    """Whom to view. `cookies` are taken in turn; `stuck` of the viewers read nothing after that."""

    port: int
    count: int
    path: str = "/live"
    deflate: bool = False
    acknowledges: bool = True
    cookies: list[str] = []
    stuck: int = 0
    notes_callers: bool = False


@dataclass(frozen=True)
class Told:
    """What a frame said, and what later ones may refer to once it was read."""

    answer: bytes
    callers: list[str]
    window: bytes


@dataclass
class Seen:
    """What all of them received. Times are seconds of the monotonic clock."""

    frames: int = 0
    wire_bytes: int = 0
    told: dict[tuple[bytes, bytes], Told] = field(default_factory=dict)
    seen_at: dict[str, float] = field(default_factory=dict)
    open: int = 0
    refused: str = ""


class Page(asyncio.Protocol):
    """One viewer."""

    def __init__(self, plan: Plan, seen: Seen, number: int) -> None:
        self.plan, self.seen, self.number = plan, seen, number
        self.opened = asyncio.get_running_loop().create_future()
        self.buffer = bytearray()
        self.window = b""
        self.unsaid = 0
        self.said_at = 0.0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        plan = self.plan
        lines = [
            f"GET {plan.path} HTTP/1.1",
            f"Host: 127.0.0.1:{plan.port}",
            f"Origin: http://127.0.0.1:{plan.port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
            "Sec-WebSocket-Version: 13",
        ]
        if plan.deflate:
            lines.append("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
        if plan.cookies:
            lines.append(f"Cookie: {plan.cookies[self.number % len(plan.cookies)]}")
        transport.write("\r\n".join([*lines, "", ""]).encode())

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.opened.done():
            self._read_head()
        elif self.number < self.plan.stuck:
            return
        while (whole := self._take_frame()) is not None:
            self._note(*whole)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_result(False)
        elif self.opened.result():
            self.seen.open -= 1

    def _read_head(self) -> None:
        head, end, _ = self.buffer.partition(b"\r\n\r\n")
        if end:
            is_open = b" 101 " in head
            self.seen.open += is_open
            if not is_open:
                self.seen.refused = self.buffer[:300].decode()
            del self.buffer[: len(head) + 4]
            self.opened.set_result(is_open)
            if self.number < self.plan.stuck:
                self.transport.pause_reading()

    def _take_frame(self) -> tuple[int, bytes] | None:
        buffer = self.buffer
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
        self.seen.wire_bytes += start + length
        return first, payload

    def _note(self, first: int, payload: bytes) -> None:
        if first & 0x0F == PING:
            self.transport.write(bytes((PONG, 0x80 | len(payload))) + bytes(4) + payload)
        if first & 0x0F != TEXT:
            return
        seen = self.seen
        seen.frames += 1
        if not (self.plan.acknowledges or self.plan.notes_callers):
            return
        told = seen.told.get((payload, self.window)) or self._learn(first, payload)
        self.window = told.window
        now = time.monotonic()
        self.unsaid += 1
        late = now - self.said_at > SPEAKS_AFTER_S
        if self.plan.acknowledges and (late or self.unsaid >= SPEAKS_EVERY):
            self.transport.write(told.answer)
            self.unsaid, self.said_at = 0, now
        for caller in told.callers:
            # Overwritten by each viewer: what stays is when the slowest one had it.
            seen.seen_at[caller] = now

    def _learn(self, first: int, payload: bytes) -> Told:
        """A frame that no other viewer had yet after the same frames."""
        seen, text, window = self.seen, payload, self.window
        if first & DEFLATED:
            reader = zlib.decompressobj(-15, zdict=window)
            text = reader.decompress(payload + b"\x00\x00\xff\xff")
            window = (window + text)[-WINDOW_BYTES:]
        for old in list(seen.told)[:200] if len(seen.told) > 400 else ():
            del seen.told[old]
        callers: set[str] = set()
        if self.plan.notes_callers:
            callers = {one.decode() for one in CALLER.findall(text)} - seen.seen_at.keys()
        found = VERSION.search(text)
        said = found[1] + AHEAD if found else b""
        # A mask of zeros: what is measured is the server.
        answer = bytes((0x81, 0x80 | len(said))) + bytes(4) + said
        told = seen.told[payload, self.window] = Told(answer, list(callers), window)
        return told


async def view(plan: Plan) -> None:
    """Open all, say so, answer questions."""
    loop, seen = asyncio.get_running_loop(), Seen()
    pages: list[Page] = []
    for first in range(0, plan.count, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, plan.count))
        opening = [
            loop.create_connection(lambda n=n: Page(plan, seen, n), "127.0.0.1", plan.port)  # type: ignore[misc]
            for n in numbers
        ]
        opened = [page for _, page in await asyncio.gather(*opening)]
        await asyncio.gather(*(page.opened for page in opened))
        pages += opened
    say(open=seen.open, refused=seen.refused)
    async for _ in questions():
        say(frames=seen.frames, wire_bytes=seen.wire_bytes, open=seen.open, seen_at=seen.seen_at)
        seen.frames, seen.wire_bytes, seen.seen_at = 0, 0, {}


if __name__ == "__main__":
    uvloop.run(view(msgspec.json.decode(sys.argv[1], type=Plan)))
