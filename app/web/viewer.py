"""One viewer's WebSocket: it is sent as many frames ahead as it asked for, and no more.

A page says which version it shows, and how many frames it may be sent before it speaks again. A
slow display asks for one at a time, and so sees the newest state less often instead of falling
behind.
"""

import asyncio
import time
from collections import deque
from collections.abc import Coroutine
from contextlib import suppress
from functools import lru_cache
from typing import Any, cast

from starlette.websockets import WebSocket, WebSocketDisconnect

from app.screen import Screen
from app.web.frames import frame_of
from app.web.line import Line
from app.web.stream import Place

ACKNOWLEDGE_S = 20.0
CLOSE_S = 2.0
# What a peer that reads nothing may cost after its close: its unsent bytes, this long.
ABORT_S = 5.0
LONGEST_MESSAGE = 64
MOST_REPEATS = 20
MOST_AHEAD = 8
# Every page says the same few things.
MOST_UNDERSTOOD = 256

GONE = 0
UNSUPPORTED, POLICY, TOO_BIG, TRY_LATER = 1003, 1008, 1009, 1013


class Viewer:
    """Sends frames of `screen` to an accepted `socket` until either side has had enough."""

    __slots__ = (
        "_acknowledge_s",
        "_ahead",
        "_line",
        "_over",
        "_place",
        "_repeats",
        "_room",
        "_screen",
        "_sent",
        "_socket",
        "_under_way",
        "_waits_since",
    )

    def __init__(
        self, socket: WebSocket, screen: Screen, acknowledge_s: float = ACKNOWLEDGE_S
    ) -> None:
        self._socket = socket
        self._screen = screen
        self._acknowledge_s = acknowledge_s
        extensions = socket.scope.get("extensions") or {}
        self._line = cast(Line | None, extensions.get("pitwall.line"))
        self._place = Place(screen)
        self._over: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._sent = 0
        self._ahead = 1
        # Versions that were sent and not said to be shown, oldest first.
        self._under_way: deque[int] = deque()
        self._waits_since = 0.0
        self._repeats = 0
        self._room = asyncio.Event()
        self._room.set()

    async def serve(self, *endings: Coroutine[Any, Any, int]) -> None:
        """Return when the viewer has gone or was sent away; each ending gives a closing code."""
        sending = self._send() if self._line is None else self._show_on(self._line)
        jobs = (*endings, sending, self._receive(), self._until_silent())
        tasks = [asyncio.create_task(job) for job in jobs]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            codes = [task.result() for task in tasks if task.done()]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        if GONE not in codes:
            await self._close(codes[0])

    async def _send(self) -> int:
        while True:
            await self._screen.wait(self._sent)
            await self._room.wait()
            try:
                await self._socket.send_text(self._next())
                if not self._has_room:
                    self._room.clear()
            except (WebSocketDisconnect, RuntimeError, OSError):
                return GONE

    async def _show_on(self, line: Line) -> int:
        """The same without a task switch and a copy per frame, for hundreds of viewers at once."""
        line.hear = self._hear_on_line
        self._screen.tell(self._show_next)
        try:
            self._show_next()
            return await self._over
        finally:
            line.hear = None
            self._screen.tell_no_more(self._show_next)

    def _show_next(self) -> None:
        """Called when there is something new and when there is room for more."""
        line = self._line
        # Not `_has_room`: for thousands of viewers ten times a second a call less is felt.
        if line is None or len(self._under_way) >= self._ahead:
            return
        if self._screen.version > self._sent:
            line.show(self._encoded(line, self._next()))

    def _encoded(self, line: Line, text: str) -> bytes:
        if line.remembers:
            return self._place.frame(text, keeps_up=self._ahead > 1)
        frame = frame_of(text)
        return frame.deflated if line.deflates else frame.plain

    def _next(self) -> str:
        """What is newer than what was sent; from now on it counts as sent."""
        frame, self._sent = self._screen.since(self._sent), self._screen.version
        if not self._under_way:
            self._waits_since = time.monotonic()
        self._under_way.append(self._sent)
        return frame

    @property
    def _has_room(self) -> bool:
        return len(self._under_way) < self._ahead

    def _hear_on_line(self, text: str) -> None:
        refused = self._hear(text)
        if refused and not self._over.done():
            self._over.set_result(refused)

    async def _until_silent(self) -> int:
        """No timer per frame: it is looked up now and then whether an answer is overdue."""
        patience = self._acknowledge_s
        while True:
            silent_s = time.monotonic() - self._waits_since if self._under_way else 0.0
            if silent_s >= patience:
                return TRY_LATER
            await asyncio.sleep(patience - silent_s if self._under_way else patience / 4)

    async def _receive(self) -> int:
        """Always reads: otherwise neither pongs nor the close would be seen."""
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return GONE
            refused = self._hear(message.get("text"))
            if refused:
                return refused

    def _hear(self, text: str | None) -> int:
        """A viewer says the version it shows and how many more it takes; the code to close with."""
        if text is None:
            return UNSUPPORTED
        if len(text) > LONGEST_MESSAGE:
            return TOO_BIG
        said = understood(text)
        if said is None or said[0] > self._sent:
            return POLICY
        shown, self._ahead = said
        if self._under_way and self._under_way[0] <= shown:
            self._let_pass(shown)
            return 0
        self._repeats += 1
        return POLICY if self._repeats > MOST_REPEATS else 0

    def _let_pass(self, shown: int) -> None:
        under_way = self._under_way
        while under_way and under_way[0] <= shown:
            under_way.popleft()
        self._repeats = 0
        self._waits_since = time.monotonic()
        if self._has_room:
            self._room.set()
            self._show_next()

    async def _close(self, code: int) -> None:
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError, OSError):
            async with asyncio.timeout(CLOSE_S):
                await self._socket.close(code)
        self._abort_later()

    def _abort_later(self) -> None:
        """A close waits for bytes that a peer who reads nothing never takes: end it by force."""
        if self._line is not None:
            asyncio.get_running_loop().call_later(ABORT_S, self._line.cut_off)


@lru_cache(MOST_UNDERSTOOD)
def understood(text: str) -> tuple[int, int] | None:
    """("12 8": shown is version 12, 8 frames may follow; "12": one may), or None."""
    version, spaced, ahead = text.partition(" ")
    if not (text.isascii() and version.isdigit() and (ahead.isdigit() or not spaced)):
        return None
    number = int(ahead or 1)
    return (int(version), number) if 1 <= number <= MOST_AHEAD else None
