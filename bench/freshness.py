"""From a webhook to the slowest viewer's screen, at a rate, on a floor of some size."""

import asyncio
import re
import time
from dataclasses import dataclass

import msgspec

from bench.ingest import serving
from bench.load import Load
from bench.measure import share
from bench.processes import running
from bench.viewers import Plan

RING = re.compile(rb"event=RING&.*phone=(09\d{8})")
VIEWERS = 200
# Enough that no webhook waits for a connection: a slow disk must not change their order.
SENDERS = 512
SETTLE_S = 1.0


@dataclass(frozen=True)
class Fresh:
    """What one run showed. Times in ms, from the sending of a ring to the slowest viewer's frame.

    `late_p99_ms` is of the last third: larger than `p99_ms` where it falls behind. `answer_p50_ms`
    is what the sender of a webhook waited: it tells how busy the machine was with other things.
    """

    p50_ms: float
    p99_ms: float
    late_p99_ms: float
    answer_p50_ms: float
    shown: int
    sent: int
    stored: int
    cores: float
    frames_per_s: float
    bytes_per_viewer_s: float
    memory_mib: float


async def measure(
    rate: float, agents: int, seconds: float, viewers: int = VIEWERS, core: int | None = None
) -> Fresh:
    """So many webhooks a second while so many viewers watch everything."""
    sent_at: dict[str, float] = {}

    def note(request: bytes) -> None:
        if ring := RING.search(request):
            sent_at[ring[1].decode()] = time.monotonic()

    async with serving("whole", agents, viewers, core) as served:
        cookies = served.ready["cookies"]
        plan = Plan(served.port, viewers, deflate=True, cookies=cookies, notes_callers=True)
        words = msgspec.json.encode(plan).decode()
        async with running("bench.viewers", words, core=1) as (watching, ready):
            if ready["open"] < viewers:
                raise RuntimeError(f"Only {ready['open']} viewers were let in. {ready['refused']}")
            await asyncio.sleep(SETTLE_S)
            load = Load(served.port, SENDERS, note=note)
            before = served.stored()
            await watching.ask()
            began, cpu = time.monotonic(), served.process.cpu_ns()
            sent = await load.pace(served.moments(rate), rate, seconds)
            lasted = time.monotonic() - began
            cpu = served.process.cpu_ns() - cpu
            await asyncio.sleep(SETTLE_S)
            seen = await watching.ask()
            load.close()
            delays = _delays(sent_at, seen["seen_at"])
            return Fresh(
                p50_ms=share(delays, 50),
                p99_ms=share(delays, 99),
                late_p99_ms=share(delays[len(delays) * 2 // 3 :], 99),
                answer_p50_ms=1000 * share(load.latencies, 50),
                shown=len(delays),
                sent=sent,
                stored=served.stored() - before,
                cores=cpu / 1e9 / lasted,
                frames_per_s=seen["frames"] / viewers / lasted,
                bytes_per_viewer_s=seen["wire_bytes"] / viewers / lasted,
                memory_mib=served.process.memory_kib() / 1024,
            )


def _delays(sent_at: dict[str, float], seen_at: dict[str, float]) -> list[float]:
    """In the order of sending, ms. A ring that is over before a frame leaves is never seen."""
    shown = (1000 * (seen_at[caller] - at) for caller, at in sent_at.items() if caller in seen_at)
    return list(shown) or [float("inf")]
