"""T1: how long a wrong token takes to be refused tells nothing of how much of it is right."""

import argparse
import asyncio
import math
import random
import statistics
import time
from pathlib import Path

from app.web.hooks import WRONG_TOKENS_PER_MINUTE
from tests.chaos.site import free_port
from tests.chaos.verdict import Judged, told
from tests.running import TOKEN, Pitwall
from tests.senders import Line
from tests.served import request_of

REQUESTS = 2000
WRONG = "x"
# Of a normal distribution: from the quartiles to the deviation, from that to the median's own.
TO_DEVIATION, TO_MEDIAN = 1 / 1.349, math.sqrt(math.pi / 2)
# Three deviations are passed by chance once in 370 runs; both sides are measured in one run.
SURE = 3


def t1_timing(folder: Path, options: argparse.Namespace) -> Judged:
    """2,000 requests with 0 and 42 right leading characters, mixed: the medians are the same."""
    pitwall = Pitwall(free_port(), folder)
    pitwall.start()
    try:
        far, near = asyncio.run(_refused(pitwall.port))
    finally:
        pitwall.stop()
    difference = abs(statistics.median(far) - statistics.median(near))
    noise = SURE * math.hypot(_error_of_median(far), _error_of_median(near))
    found = {
        "requests of each": REQUESTS,
        "median, µs": statistics.median(far) * 1e6,
        "medians apart, µs": difference * 1e6,
        "by chance, µs": noise * 1e6,
    }
    return difference <= noise, told(found)


async def _refused(port: int) -> tuple[list[float], list[float]]:
    """Seconds until the answer, with no character right and with all but the last."""
    tokens = [WRONG * len(TOKEN), TOKEN[:-1] + WRONG]
    seconds: tuple[list[float], list[float]] = ([], [])
    order = [0, 1] * REQUESTS
    random.Random(1).shuffle(order)
    line = Line(port)
    # The first of them are told that there is nothing, all others to come later.
    for which in [0, 1] * WRONG_TOKENS_PER_MINUTE + order:
        request = request_of("/Agent/ChangeStatus", tokens[which], extension="101", status="on")
        began = time.perf_counter()
        status = await line.send(request)
        seconds[which].append(time.perf_counter() - began)
        assert status in (404, 429), f"a wrong token is answered by {status}"
    line.close()
    return seconds[0][WRONG_TOKENS_PER_MINUTE:], seconds[1][WRONG_TOKENS_PER_MINUTE:]


def _error_of_median(values: list[float]) -> float:
    low, _, high = statistics.quantiles(values, n=4)
    return (high - low) * TO_DEVIATION * TO_MEDIAN / math.sqrt(len(values))


TRIALS = (t1_timing,)
