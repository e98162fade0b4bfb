"""Waits for what sends no word when it comes about: in a coroutine, or where there is no loop."""

import asyncio
import time
from collections.abc import Callable


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Let everybody work until it holds. Raises TimeoutError when it does not in time."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - whatever it is, it may change anywhere
            await asyncio.sleep(0.001)


def wait_for(
    condition: Callable[[], object],
    seconds: float,
    complaint: Callable[[], str] = lambda: "it did not come about",
) -> None:
    """Return once it holds; `complaint` is asked only when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, complaint()
        # What is asked may be a sign-in, of which there may not be many.
        time.sleep(0.05)
