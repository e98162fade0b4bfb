"""One viewer's WebSocket: the next frame leaves only when the last one has been acknowledged.

A slow display so sees the newest state less often instead of falling behind.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol, cast

from starlette.websockets import WebSocket, WebSocketDisconnect

from app.screen import Screen
from app.web.frames import TextFrame, frame_of

ACKNOWLEDGE_S = 20.0
CLOSE_S = 2.0
# What a peer that reads nothing may cost after its close: its unsent bytes, this long.
ABORT_S = 5.0
LONGEST_MESSAGE = 64
MOST_REPEATS = 20

GONE = 0
UNSUPPORTED, POLICY, TOO_BIG, TRY_LATER = 1003, 1008, 1009, 1013


class Line(Protocol):
    """The short way to one viewer, where the server has one: see `live_protocol`."""

    hear: Callable[[str], None] | None

    def show(self, frame: TextFrame) -> None: ...
    def cut_off(self) -> None: ...


class Viewer:
    """Sends frames of `screen` to an accepted `socket` until either side has had enough."""

    def __init__(
        self, socket: WebSocket, screen: Screen, acknowledge_s: float = ACKNOWLEDGE_S
    ) -> None:
        self._socket = socket
        self._screen = screen
        self._acknowledge_s = acknowledge_s
        extensions = socket.scope.get("extensions") or {}
        self._line = cast(Line | None, extensions.get("pitwall.line"))
        self._over: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._sent = 0
        self._sent_at = 0.0
        self._repeats = 0
        self._acknowledged = asyncio.Event()

    async def serve(self, *endings: Coroutine[Any, Any, int]) -> None:
        """Return when the viewer has gone or was sent away; each ending gives a closing code."""
        sending = self._send() if self._line is None else self._show_on(self._line)
        tasks = [asyncio.create_task(job) for job in (*endings, sending, self._receive())]
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
        seen = 0
        while True:
            await self._screen.wait(seen)
            frame, self._sent = self._screen.since(seen), self._screen.version
            self._acknowledged.clear()
            self._repeats = 0
            try:
                async with asyncio.timeout(self._acknowledge_s):
                    await self._socket.send_text(frame)
                    await self._acknowledged.wait()
            except TimeoutError:
                return TRY_LATER
            except (WebSocketDisconnect, RuntimeError, OSError):
                return GONE
            seen = self._sent

    async def _show_on(self, line: Line) -> int:
        """The same without a task switch and a copy per frame, for hundreds of viewers at once."""
        self._acknowledged.set()
        line.hear = self._hear_on_line
        self._screen.tell(self._show_next)
        try:
            self._show_next()
            while not self._over.done():
                await asyncio.wait([self._over], timeout=self._patience_s())
                self._give_up_if_silent()
            return self._over.result()
        finally:
            line.hear = None
            self._screen.tell_no_more(self._show_next)

    def _show_next(self) -> None:
        """Called when there is something new and when the last frame was acknowledged."""
        if self._line is None or not self._acknowledged.is_set():
            return
        if self._screen.version > self._sent:
            frame = frame_of(self._screen.since(self._sent))
            self._sent, self._sent_at = self._screen.version, time.monotonic()
            self._acknowledged.clear()
            self._repeats = 0
            self._line.show(frame)

    def _hear_on_line(self, text: str) -> None:
        refused = self._hear(text)
        if refused and not self._over.done():
            self._over.set_result(refused)

    def _patience_s(self) -> float:
        """No timer per frame: it is looked up now and then whether the last one is overdue."""
        if self._acknowledged.is_set():
            return self._acknowledge_s / 4
        return max(0.0, self._sent_at + self._acknowledge_s - time.monotonic())

    def _give_up_if_silent(self) -> None:
        silent_s = time.monotonic() - self._sent_at
        waits = not self._acknowledged.is_set() and not self._over.done()
        if waits and silent_s >= self._acknowledge_s:
            self._over.set_result(TRY_LATER)

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
        """A viewer says one thing, the version it shows; the code to close with for all else."""
        if text is None:
            return UNSUPPORTED
        if len(text) > LONGEST_MESSAGE:
            return TOO_BIG
        if not (text.isascii() and text.isdigit()) or int(text) > self._sent:
            return POLICY
        if int(text) == self._sent and not self._acknowledged.is_set():
            self._acknowledged.set()
            self._show_next()
            return 0
        self._repeats += 1
        return POLICY if self._repeats > MOST_REPEATS else 0

    async def _close(self, code: int) -> None:
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError, OSError):
            async with asyncio.timeout(CLOSE_S):
                await self._socket.close(code)
        self._abort_later()

    def _abort_later(self) -> None:
        """A close waits for bytes that a peer who reads nothing never takes: end it by force."""
        if self._line is not None:
            asyncio.get_running_loop().call_later(ABORT_S, self._line.cut_off)
