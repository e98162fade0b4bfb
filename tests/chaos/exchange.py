"""A PBX in a process of its own: what it waits for is the server, not the viewers of a test."""

import asyncio
import math
import multiprocessing
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from itertools import count, takewhile
from multiprocessing.synchronize import Event

from tests.running import TOKEN
from tests.senders import Answers, pace
from tests.served import request_of

AGENTS = 200
FIRST = 100
STATUS = "/Agent/ChangeStatus"
# In its process: set when it has sent enough.
_OVER: list[Event] = []


async def fill(port: int) -> None:
    """The floor knows all agents."""
    numbers = range(FIRST, FIRST + AGENTS)
    requests = iter([request_of(STATUS, TOKEN, extension=str(n), status="on") for n in numbers])
    await pace(port, requests, 400, AGENTS / 400)


async def changes(port: int, seconds: float) -> Answers:
    """Twenty webhooks a second, each of which changes a card; returns when that time is over."""
    async with changing(port, seconds) as answers:
        return await answers


@asynccontextmanager
async def changing(
    port: int, seconds: float = math.inf
) -> AsyncIterator["asyncio.Future[Answers]"]:
    """The same, from the first line of the block until it ends, or for so long."""
    spawning = multiprocessing.get_context("spawn")
    loop, over = asyncio.get_running_loop(), spawning.Event()
    with ProcessPoolExecutor(1, spawning, _end_with, (over,)) as apart:
        # Of no length: from now on the process is there.
        await loop.run_in_executor(apart, _send, port, 0.0)
        answers = loop.run_in_executor(apart, _send, port, seconds)
        try:
            yield answers
        finally:
            over.set()
            await asyncio.wait([answers])


def _end_with(over: Event) -> None:
    _OVER.append(over)


def _send(port: int, seconds: float) -> Answers:
    requests = takewhile(lambda _: not _OVER[0].is_set(), _changes())
    return asyncio.run(pace(port, requests, 20, seconds))


def _changes() -> Iterator[bytes]:
    for number in count():
        extension, status = (
            str(FIRST + number % AGENTS),
            "pause" if number // AGENTS % 2 else "talk",
        )
        yield request_of(STATUS, TOKEN, extension=extension, status=status)
