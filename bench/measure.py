"""How much a process costs: CPU by the scheduler's clock, memory, and which rounds to believe.

Other programs share the machine, so wall time says little. CPU nanoseconds per operation and the
ratios of variants that took turns in one run are what can be compared.
"""

import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path

TASKS = "/proc/{}/task"


def cpu_ns(pid: int) -> int:
    """CPU time of all threads that live, in nanoseconds. Raises FileNotFoundError when it ended."""
    spent = 0
    for task in os.listdir(TASKS.format(pid)):
        try:
            text = Path(TASKS.format(pid), task, "schedstat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        spent += int(text.split()[0])
    return spent


def memory_kib(pid: int) -> int:
    """Resident memory of the process in KiB, shared pages included."""
    return _status(pid, "VmRSS")


def peak_kib(pid: int) -> int:
    """The most resident memory that the process ever had, in KiB."""
    return _status(pid, "VmHWM")


def _status(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0


def typical(values: Iterable[float]) -> float:
    """The median of the quieter half: what disturbs a round only ever makes it dearer."""
    ordered = sorted(values)
    return statistics.median(ordered[: (len(ordered) + 1) // 2])


def share(values: Iterable[float], percent: float) -> float:
    """The value that so many percent of them do not exceed; of none at all it is infinite."""
    ordered = sorted(values) or [float("inf")]
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


async def take_turns(
    variants: Mapping[str, Callable[[], Awaitable[float]]], rounds: int
) -> dict[str, float]:
    """Each variant once a round, one after the other; {name: its typical cost}."""
    costs: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, run in variants.items():
            costs[name].append(await run())
    return {name: typical(values) for name, values in costs.items()}


def machine() -> str:
    """The machine in words: a report without it can't be read."""
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    python = ".".join(map(str, sys.version_info[:3]))
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{cores} cores ({_cpu_model()}), {memory:.0f} GiB of memory, {os.uname().sysname} "
        f"{os.uname().release}, Python {python}; load {load} (1, 5, 15 minutes) at the start; "
        f"{_addition_ns():.0f} ns to add two numbers in a loop"
    )


def _addition_ns() -> float:
    """How fast Python is here: goals in seconds are for a machine, and this tells which."""
    count, spent = 1_000_000, []
    for _ in range(7):
        total, began = 0, time.thread_time_ns()
        for number in range(count):
            total += number
        spent.append((time.thread_time_ns() - began) / count)
    return min(spent)


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return os.uname().machine
