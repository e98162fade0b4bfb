"""What a process and a page weigh at one moment, and what that says after hours of it."""

import http.client
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.crowd import descriptors, resident_mebibytes
from tests.running import Pitwall

API_TOKEN = "a-token-for-programs-only-0123456789"
MEBIBYTE = 1024 * 1024
METRICS = {"pitwall_tasks": 0.0, "pitwall_floor_seq": 0.0, "pitwall_calls": 0.0}


@dataclass(frozen=True)
class Sample:
    """The process after `at_s` seconds; sizes in mebibytes."""

    at_s: float
    resident: float
    descriptors: int
    tasks: int
    wal: float
    events: int
    calls: int
    cpu_s: float


@dataclass(frozen=True)
class PageSample:
    """The wall's page after `at_s` seconds, its garbage collected. Heap in mebibytes."""

    at_s: float
    heap: float
    nodes: int
    listeners: int


def sample(pitwall: Pitwall, folder: Path, began: float) -> Sample:
    """The process as it is now."""
    told = metrics(fetch(pitwall.port, "/metrics"))
    wal = folder / "pitwall.db-wal"
    return Sample(
        time.monotonic() - began,
        resident_mebibytes(pitwall),
        descriptors(pitwall),
        int(told["pitwall_tasks"]),
        wal.stat().st_size / MEBIBYTE if wal.exists() else 0.0,
        int(told["pitwall_floor_seq"]),
        int(told["pitwall_calls"]),
        cpu_seconds(pitwall),
    )


@dataclass(frozen=True)
class Probe:
    """How late the process answered the simplest request, and how late the machine itself was.

    On a machine with other things to do, a sleep of a millisecond ends late as well.
    """

    answer_ms: float
    machine_ms: float


def probe(pitwall: Pitwall) -> Probe:
    """Both, one after the other."""
    began = time.monotonic()
    time.sleep(0.001)
    asked = time.monotonic()
    fetch(pitwall.port, "/health/live")
    return Probe((time.monotonic() - asked) * 1000, (asked - began) * 1000 - 1)


def cpu_seconds(pitwall: Pitwall) -> float:
    """What the process has used of processors since its start."""
    fields = Path(f"/proc/{pitwall.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fetch(port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"Authorization": f"Bearer {API_TOKEN}"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == 200, f"{path}: {answer.status}"
    return body


def metrics(text: bytes) -> dict[str, float]:
    """The gauges that a sample needs."""
    lines = (line.split(" ") for line in text.decode().splitlines() if not line.startswith("#"))
    return METRICS | {line[0]: float(line[1]) for line in lines if line[0] in METRICS}


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Of the straight line through the points (seconds, value), by least squares: per hour."""
    if len(points) < 2:
        return 0.0
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread * 3600 if spread else 0.0
