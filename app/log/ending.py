"""Ends a task that may swallow a cancellation.

`wait_for`, which the NATS client uses, may lose one before Python 3.12, and the client catches some
where it closes; it would go on for ever.
"""

import asyncio
from typing import Any

AGAIN_S = 0.1


async def end(task: asyncio.Task[Any] | None) -> None:
    """Cancel it until it is done, whatever its result; nothing where there is none."""
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=AGAIN_S)
