"""One viewer's WebSocket: the next frame leaves only when the last one has been acknowledged.

A slow display so sees the newest state less often instead of falling behind.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, cast

from starlette.websockets import WebSocket, WebSocketDisconnect

from app.screen import Screen

ACKNOWLEDGE_S = 20.0
CLOSE_S = 2.0
# What a peer that reads nothing may cost after its close: its unsent bytes, this long.
ABORT_S = 5.0
LONGEST_MESSAGE = 64
MOST_REPEATS = 20

GONE = 0
UNSUPPORTED, POLICY, TOO_BIG, TRY_LATER = 1003, 1008, 1009, 1013


class Viewer:
    """Sends frames of `screen` to an accepted `socket` until either side has had enough."""

    def __init__(
        self, socket: WebSocket, screen: Screen, acknowledge_s: float = ACKNOWLEDGE_S
    ) -> None:
        self._socket = socket
        self._screen = screen
        self._acknowledge_s = acknowledge_s
        self._sent = 0
        self._repeats = 0
        self._acknowledged = asyncio.Event()

    async def serve(self, *endings: Coroutine[Any, Any, int]) -> None:
        """Return when the viewer has gone or was sent away; each ending gives a closing code."""
        tasks = [asyncio.create_task(job) for job in (*endings, self._send(), self._receive())]
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
        extensions = self._socket.scope.get("extensions") or {}
        abort = cast(Callable[[], None] | None, extensions.get("pitwall.abort"))
        if abort is not None:
            asyncio.get_running_loop().call_later(ABORT_S, abort)
