"""Waits for what sends no word when it comes about: in a coroutine, or where there is no loop."""

import asyncio
import time
from collections.abc import Callable

# A new account is seen within half a second, and the sixth sign-in that fails has to wait.
SIGN_IN_S = 0.5


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Let everybody work until it holds. Raises TimeoutError when it does not in time."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - whatever it is, it may change anywhere
            await asyncio.sleep(0.001)


def wait_for(
    condition: Callable[[], object],
    seconds: float,
    complaint: Callable[[], str] = lambda: "it did not come about",
    every_s: float = 0.05,
) -> None:
    """Return once it holds; `complaint` is asked only when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, complaint()
        time.sleep(every_s)
