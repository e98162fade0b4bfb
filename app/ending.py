"""Ends tasks in spite of what swallows a cancellation.

Before Python 3.12 `wait_for` loses the one that comes in the same turn of the loop as its result,
and the NATS client, which uses it, catches some where it closes. A task that was cancelled once
goes on for ever then, and whoever waits for its end with it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

AGAIN_S = 0.1
# A loop may take so long to finish what it began.
END_S = 10.0


async def end(task: asyncio.Task[Any] | None, again_s: float = AGAIN_S) -> None:
    """Cancel it until it is done, whatever its result; nothing where there is none.

    Who may take longer to finish in order is cancelled again only after `again_s`.
    """
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=again_s)


def heeding(work: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """The same work, cancelled all the same where what it calls has swallowed a cancellation."""

    @wraps(work)
    async def heeded(*args: P.args, **kwargs: P.kwargs) -> T:
        before = _cancelled_so_often()
        try:
            return await work(*args, **kwargs)
        finally:
            if _cancelled_so_often() > before:
                raise asyncio.CancelledError

    return heeded


def _cancelled_so_often() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()
