"""One click, one deed: a second click on the same thing gets the first one's answer.

What was begun is finished even if the browser that asked is gone: half a deed has no result.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

REMEMBERED_S = 10.0
# Long enough for a double click, short enough to try again what failed.
FAILED_S = 2.0


class StillBusy(Exception):
    """Something else on the same key is not finished."""


@dataclass(slots=True)
class _Flight(Generic[T]):
    wish: Hashable
    task: asyncio.Task[T]
    until: float = float("inf")


class SingleFlight(Generic[T]):
    """`worked` tells answers that are remembered for ten seconds from those that may be retried."""

    def __init__(self, monotonic: Callable[[], float], worked: Callable[[T], bool]) -> None:
        self._now = monotonic
        self._worked = worked
        self._flights: dict[Hashable, _Flight[T]] = {}

    async def run(self, key: Hashable, wish: Hashable, job: Callable[[], Awaitable[T]]) -> T:
        """The answer of `job`, or of the same wish on this key a moment ago.

        Another wish on a key that is still busy raises StillBusy. Cancelling the caller does not
        cancel the job.
        """
        self._forget()
        flight = self._flights.get(key)
        if flight is None or (flight.task.done() and flight.wish != wish):
            flight = self._start(key, wish, job)
        elif flight.wish != wish:
            raise StillBusy
        return await asyncio.shield(flight.task)

    def _start(self, key: Hashable, wish: Hashable, job: Callable[[], Awaitable[T]]) -> _Flight[T]:
        async def work() -> T:
            return await job()

        flight = _Flight(wish, asyncio.create_task(work()))
        self._flights[key] = flight
        flight.task.add_done_callback(lambda task: self._landed(flight))
        return flight

    def _landed(self, flight: _Flight[T]) -> None:
        task = flight.task
        fine = not task.cancelled() and task.exception() is None and self._worked(task.result())
        flight.until = self._now() + (REMEMBERED_S if fine else FAILED_S)

    def _forget(self) -> None:
        now = self._now()
        for key in [key for key, flight in self._flights.items() if flight.until <= now]:
            del self._flights[key]

    async def settle(self) -> None:
        """Wait for what is under way."""
        tasks = [flight.task for flight in self._flights.values()]
        await asyncio.gather(*tasks, return_exceptions=True)
