"""Whoever clicks hears within six seconds; what takes longer goes on, and nobody waits for it."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from app.actions.deeds import ANSWER_S, NO_RESULT, Kind, Outcome

logger = logging.getLogger(__name__)

# The loop itself keeps no task alive.
_late: set["asyncio.Task[Outcome]"] = set()


async def promptly(work: Coroutine[Any, Any, Outcome], seconds: float = ANSWER_S) -> Outcome:
    """Its outcome, or after so many seconds that there is none yet. Raises what it raises."""
    task = asyncio.create_task(work)
    _late.add(task)
    task.add_done_callback(_late.discard)
    await asyncio.wait([task], timeout=seconds)
    if task.done():
        return task.result()
    task.add_done_callback(_tell)
    return Outcome(Kind.UNKNOWN, NO_RESULT, 504)


def _tell(task: "asyncio.Task[Outcome]") -> None:
    if not task.cancelled() and (error := task.exception()):
        logger.error("What somebody no longer waited for has failed: %s", error)
