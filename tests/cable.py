"""A way to a server that can be cut: nothing passes any more, and neither side is told."""

import asyncio
import threading
from collections.abc import Callable
from typing import Self

from tests.live_viewer import Deaf


class Cable:
    """`tests.live_viewer.Deaf` in a thread of its own, for tests that are no coroutines."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._loop: asyncio.AbstractEventLoop
        self._deaf: Deaf
        self._done: asyncio.Event

    async def _run(self) -> None:
        async with Deaf(self._port) as self._deaf:
            self._loop, self._done = asyncio.get_running_loop(), asyncio.Event()
            self._ready.set()
            await self._done.wait()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join()

    @property
    def url(self) -> str:
        """Where the server is reached through it."""
        return f"http://127.0.0.1:{self._deaf.port}"

    def cut(self) -> None:
        """From now on nothing passes."""
        self._do(self._deaf.hears.clear)

    def mend(self) -> None:
        """From now on everything passes again; what was sent meanwhile is lost."""
        self._do(self._deaf.hears.set)

    def _do(self, change: Callable[[], None]) -> None:
        """In the thread; return when it is done."""
        done = threading.Event()

        def change_and_tell() -> None:
            change()
            done.set()

        self._loop.call_soon_threadsafe(change_and_tell)
        assert done.wait(10)
