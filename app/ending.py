"""Ends a task that may swallow a cancellation.

Before Python 3.12 `wait_for` may lose one, and the NATS client, which uses it, catches some where
it closes: cancelled once, such a task goes on for ever.
"""

import asyncio
from typing import Any

AGAIN_S = 0.1


async def end(task: asyncio.Task[Any] | None, again_s: float = AGAIN_S) -> None:
    """Cancel it until it is done, whatever its result; nothing where there is none.

    Who may take longer to finish in order is cancelled again only after `again_s`.
    """
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=again_s)
