"""Hostile peers, as trials of `make chaos`: each gives a verdict and what was seen.

Times are of a machine with little else to do: PITWALL_TEST_PATIENCE=3 allows three times as long.
"""

import argparse
import asyncio
from pathlib import Path

from app.log.commits import MOST_WAITING
from tests.chaos.crowd import descriptors
from tests.chaos.full_queue import full_queue, why_not
from tests.chaos.half_sent import half_sent
from tests.chaos.hostile import harm_done
from tests.chaos.overload import PROVISIONED, overload
from tests.chaos.site import free_port
from tests.chaos.storm import storm
from tests.chaos.verdict import ACK_S, PATIENCE, Judged
from tests.running import Pitwall

# MiB: ten thousand that wait, with 24 KiB for each connection and its request.
MOST_GROWN_BY_QUEUE = MOST_WAITING * 24 / 1024
# MiB: what 150 viewers may cost at most, 256 KiB each in the process and 128 KiB in the kernel.
MOST_GROWN = 150 * 0.375
# Of that, what the process keeps when they are gone: the allocator's, and never more with the next.
MOST_LEFT = 15.0


def t7_half_sent(folder: Path, options: argparse.Namespace) -> Judged:
    """500 connections that never finish a request are gone in 15 s, with their descriptors."""
    pitwall = Pitwall(free_port(), folder)
    pitwall.start()
    try:
        before = descriptors(pitwall)
        ended = asyncio.run(half_sent(pitwall.port, 500, 30))
        left = descriptors(pitwall) - before
    finally:
        pitwall.stop()
    served = ended.pbx.statuses == {200: ended.pbx.sent} and ended.pbx.p99() <= ACK_S
    good = ended.seconds <= 15 * PATIENCE and not ended.still_open and served and left <= 5
    return good, (
        f"all closed after {ended.seconds:.1f} s, {left} descriptors left; "
        f"the PBX beside: {dict(ended.pbx.statuses)}, p99 {ended.pbx.p99() * 1000:.0f} ms"
    )


def r13_viewers(folder: Path, options: argparse.Namespace) -> Judged:
    """50 that read nothing, 50 that trickle and 50 half-open ones beside 50 good ones."""
    harm = harm_done(folder, free_port(), 50, 50, 20)
    slower = harm.beside_p99_s - harm.alone_p99_s
    good = (
        slower <= 0.05 * PATIENCE
        and harm.beside_ack_p99_s <= max(ACK_S, 2 * harm.alone_ack_p99_s)
        and harm.evicted_s <= 30
        and harm.grown_mebibytes <= MOST_GROWN
        and harm.left_mebibytes <= MOST_LEFT
        and harm.left_descriptors <= 5
        and not harm.good_lost
    )
    return good, str(harm)


def r14_storm(folder: Path, options: argparse.Namespace) -> Judged:
    """2,000 viewers dropped at once have a whole board within 90 s; the PBX notices nothing."""
    seen = storm(folder, free_port(), 2000)
    good = (
        seen.back_s <= 90 * PATIENCE
        and seen.ack_p99_s <= ACK_S
        and seen.peak_mebibytes <= 150
        and not seen.unanswered
    )
    return good, str(seen)


def r16_overload(folder: Path, options: argparse.Namespace) -> Judged:
    """Ten times the provisioned rate, then up to collapse, and back."""
    rates = [PROVISIONED, 10 * PROVISIONED, 20 * PROVISIONED, 30 * PROVISIONED]
    seen = overload(folder, free_port(), rates, 10)
    ten_times = seen.steps[1]
    good = (
        ten_times.accepted_per_s >= PROVISIONED
        # Up to there each one is answered; further on connections break off.
        and not ten_times.cut_off
        and ten_times.sent == ten_times.stored + ten_times.refused
        and seen.nothing_is_lost_silently
        and seen.recovered_s <= 10 * PATIENCE
    )
    return good, str(seen)


def r16_full_queue(folder: Path, options: argparse.Namespace) -> Judged:
    """Nothing can be written, ten times the provisioned rate comes: refused at once and counted."""
    if why := why_not():
        return True, f"SKIPPED: {why}"
    seen = full_queue(folder, free_port(), 10 * PROVISIONED)
    good = (
        seen.probes > 0
        and seen.refused_p99_s <= 0.05 * PATIENCE
        and seen.nothing_is_lost_silently
        and set(seen.live) == {200}
        and seen.told_full
        and seen.back_s <= 10 * PATIENCE
        and seen.grown_mebibytes <= MOST_GROWN_BY_QUEUE
    )
    return good, str(seen)


TRIALS = (t7_half_sent, r13_viewers, r14_storm, r16_overload, r16_full_queue)
