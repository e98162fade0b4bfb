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
AT_ONCE = 50
# As a page that paints as fast as frames come: see static/live.js.
AHEAD, SPEAKS_EVERY, SPEAKS_AFTER_S = b" 8", 6, 1.0


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


@dataclass
class Seen:
    """What all of them received. Times are seconds of the monotonic clock."""

    frames: int = 0
    wire_bytes: int = 0
    versions: dict[bytes, bytes] = field(default_factory=dict)
    callers: dict[bytes, list[str]] = field(default_factory=dict)
    seen_at: dict[str, float] = field(default_factory=dict)
    open: int = 0
    refused: str = ""


class Page(asyncio.Protocol):
    """One viewer."""

    def __init__(self, plan: Plan, seen: Seen, number: int) -> None:
        self.plan, self.seen, self.number = plan, seen, number
        self.opened = asyncio.get_running_loop().create_future()
        self.buffer = bytearray()
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
        answer = seen.versions.get(payload)
        if answer is None:
            answer = self._learn(first, payload)
        now = time.monotonic()
        self.unsaid += 1
        late = now - self.said_at > SPEAKS_AFTER_S
        if self.plan.acknowledges and (late or self.unsaid >= SPEAKS_EVERY):
            self.transport.write(answer)
            self.unsaid, self.said_at = 0, now
        for caller in seen.callers.get(payload, ()):
            # Overwritten by each viewer: what stays is when the slowest one had it.
            seen.seen_at[caller] = now

    def _learn(self, first: int, payload: bytes) -> bytes:
        """A frame that no other viewer had yet: the bytes that acknowledge it."""
        seen = self.seen
        text = _inflated(payload) if first & 0x40 else payload
        if len(seen.versions) > 400:
            for old in list(seen.versions)[:200]:
                del seen.versions[old]
                seen.callers.pop(old, None)
        if self.plan.notes_callers:
            fresh = {caller.decode() for caller in CALLER.findall(text)} - seen.seen_at.keys()
            seen.callers[payload] = list(fresh)
        found = VERSION.search(text)
        version = found[1] + AHEAD if found else b""
        # A mask of zeros: what is measured is the server.
        answer = bytes((0x81, 0x80 | len(version))) + bytes(4) + version
        seen.versions[payload] = answer
        return answer


def _inflated(payload: bytes) -> bytes:
    return zlib.decompressobj(-15).decompress(payload + b"\x00\x00\xff\xff")


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
