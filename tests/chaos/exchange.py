"""A PBX in a process of its own: what it waits for is the server, not the viewers of a test."""

import asyncio
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import count

from tests.running import TOKEN
from tests.senders import Answers, pace
from tests.served import request_of

AGENTS = 200
STATUS = "/Agent/ChangeStatus"


async def fill(port: int) -> None:
    """The floor knows all agents."""
    numbers = range(100, 100 + AGENTS)
    requests = iter([request_of(STATUS, TOKEN, extension=str(n), status="on") for n in numbers])
    await pace(port, requests, 400, AGENTS / 400)


async def changes(port: int, seconds: float) -> Answers:
    """Twenty webhooks a second, each of which changes a card; returns when that time is over."""
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawning) as apart:
        return await asyncio.get_running_loop().run_in_executor(apart, _send, port, seconds)


def _send(port: int, seconds: float) -> Answers:
    return asyncio.run(pace(port, _changes(), 20, seconds))


def _changes() -> Iterator[bytes]:
    for number in count():
        extension, status = str(100 + number % AGENTS), "pause" if number // AGENTS % 2 else "talk"
        yield request_of(STATUS, TOKEN, extension=extension, status=status)
