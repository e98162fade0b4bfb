"""How far the PBX's clock, or the zone of its times, is from ours, by records that it pushed."""

import statistics
from collections.abc import Iterable, Mapping
from datetime import tzinfo
from itertools import islice

from app.pbx.fields import SKEW_MS, Fields

FEWEST, MOST = 3, 20
MINUTE_MS = 60_000


def clock_difference(newest: Iterable[tuple[int, Mapping[str, str]]], zone: tzinfo) -> int:
    """Minutes that the PBX is ahead of us, less than nothing if behind; 0 within ten, or unknown.

    `newest` are the last webhooks, the newest first: when each came (ms), and its parameters. A
    record comes when its call is over, so that start + length should be now: the median of twenty.
    """
    found = (_ahead_ms(at, params, zone) for at, params in newest if params.get("calldate"))
    ahead = list(islice((each for each in found if each is not None), MOST))
    if len(ahead) < FEWEST:
        return 0
    median = statistics.median(ahead)
    return round(median / MINUTE_MS) if abs(median) > SKEW_MS else 0


def _ahead_ms(at: int, params: Mapping[str, str], zone: tzinfo) -> int | None:
    fields = Fields(params, at, zone)
    lasted_s = fields.seconds("duration") or fields.seconds("holdtime") or 0
    started = fields.started(lasted_s)
    return None if started is None else started + lasted_s * 1000 - at
