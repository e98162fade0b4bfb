"""The virtual clock: jobs run in the order of their time; nothing here ever waits."""

import heapq
from collections.abc import Callable

Job = Callable[[], object]


class Timer:
    """A job that will run once, unless it is cancelled first."""

    __slots__ = ("job",)

    def __init__(self, job: Job) -> None:
        self.job: Job | None = job

    def cancel(self) -> None:
        self.job = None


class Engine:
    """Times are seconds since the Unix epoch, simulated; spans are simulated seconds."""

    def __init__(self, start: float) -> None:
        self.now = start
        self._serial = 0
        self._heap: list[tuple[float, int, Timer]] = []

    def at(self, when: float, job: Job) -> Timer:
        timer = Timer(job)
        # The serial number keeps jobs of the same instant in the order of the asking.
        self._serial += 1
        heapq.heappush(self._heap, (max(when, self.now), self._serial, timer))
        return timer

    def after(self, delay: float, job: Job) -> Timer:
        return self.at(self.now + delay, job)

    def run_until(self, when: float) -> None:
        while self._heap and self._heap[0][0] <= when:
            at, _, timer = heapq.heappop(self._heap)
            self.now = at
            if timer.job is not None:
                timer.job()
        self.now = max(self.now, when)
