"""`make chaos`: every promise for bad days, tried; prints what came of it, and fails if one broke.

`python -m tests.chaos [--only NAME …] [--kills N] [--restarts N] [--allow-skips] [--note FILE]`
"""

import argparse
import logging
import os
import platform
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from tests.chaos import (
    big,
    clocks,
    closed,
    damage,
    disk,
    dying,
    floods,
    forgetful,
    guessing,
    kills,
    leaving,
    listening,
    night,
    peers,
    power,
    reconnects,
    restarts,
    same,
    tracing,
    trouble,
    unwritten,
)
from tests.chaos.verdict import Judged, skipped, soon, told, was_skipped

Trial = Callable[[Path, argparse.Namespace], Judged]
NO_STRACE = "there is no strace here; on Debian: apt-get install strace"


def r1_kills(folder: Path, options: argparse.Namespace) -> Judged:
    found = kills.kill_often(folder, options.kills)
    return found.is_good, str(found)


def r2_million(folder: Path, options: argparse.Namespace) -> Judged:
    found = big.ready_after(folder, options.events)
    slowest = max(float(str(found["ready after, s"])), float(str(found["ready after a kill, s"])))
    return slowest <= 5, told(found)


def r3_order(folder: Path, options: argparse.Namespace) -> Judged:
    if tracing.strace() is None:
        return skipped(NO_STRACE)
    answers, early = power.answers_before_sync(folder)
    return answers >= 30 and not early, f"{answers} answers, {early} of them before fdatasync"


def r3_torn(folder: Path, options: argparse.Namespace) -> Judged:
    found = power.tear(folder, options.cuts, options.cuts // 5, every_edge=options.every_edge)
    return found.is_good, str(found)


def r3_forgotten(folder: Path, options: argparse.Namespace) -> Judged:
    if tracing.strace() is None:
        return skipped(NO_STRACE)
    found = forgetful.forget(folder, options.webhooks, options.cuts)
    return found.is_good and found.answers == options.webhooks, str(found)


def r4_full(folder: Path, options: argparse.Namespace) -> Judged:
    if os.geteuid() != 0 or sys.platform != "linux":
        return skipped("only root can mount a small disk")
    found = disk.full_disk(folder)
    good = bool(
        found["ballast given up"]
        and found["whole"]
        and not found["lost"]
        and not found["answered otherwise"]
        and all_counted(found)
        and found["live and ready while full"] == (200, 503)
        and soon(found["banner after, s"], 5)
        and soon(found["saved again after, s"], 10)
        and soon(found["banner gone after, s"], 10)
    )
    return good, told(found)


def r4_quota(folder: Path, options: argparse.Namespace) -> Judged:
    found = disk.quota(folder)
    good = bool(
        found["refused"]
        and all_counted(found)
        and found["whole"]
        and not found["lost"]
        and found["live"] == 200
        and soon(found["banner after, s"], 5)
        and soon(found["saved again after, s"], 10)
        and soon(found["banner gone after, s"], 10)
    )
    return good, told(found)


def all_counted(found: dict[str, object]) -> bool:
    """Every webhook that was refused is in the metrics."""
    refused, counted = cast(tuple[int, int], found["refused and counted"])
    return refused == counted


def r6_locked(folder: Path, options: argparse.Namespace) -> Judged:
    found = {}
    for seconds in options.locks:
        place = folder / str(seconds)
        place.mkdir()
        found[seconds] = disk.locked(place, seconds)
    good = all(
        each["answered meanwhile"] == [200 if seconds <= 3 else 503]
        and each["live"] == 200
        and all_counted(each)
        and not each["lost"]
        and soon(each["saved again after, s"], 10)
        for seconds, each in found.items()
    )
    return good, "; ".join(told(each) for each in found.values())


TRIALS: dict[str, Trial] = {
    trial.__name__: trial
    for trial in (
        r1_kills,
        *same.TRIALS,
        r2_million,
        r3_order,
        r3_torn,
        r3_forgotten,
        *dying.TRIALS,
        r4_full,
        r4_quota,
        *closed.TRIALS,
        r6_locked,
        *damage.TRIALS,
        *night.TRIALS,
        *clocks.TRIALS,
        *trouble.TRIALS,
        *restarts.TRIALS,
        *leaving.TRIALS,
        *listening.TRIALS,
        *unwritten.TRIALS,
        *peers.TRIALS,
        *reconnects.TRIALS,
        *floods.TRIALS,
        *guessing.TRIALS,
    )
}


def options_of(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--only", nargs="+", choices=TRIALS, default=list(TRIALS))
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--restarts", type=int, default=20)
    parser.add_argument("--frozen-s", type=float, default=30.0, help="how long it stands still")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--cuts", type=int, default=500, help="random cuts")
    parser.add_argument("--webhooks", type=int, default=600, help="before the disk forgets")
    parser.add_argument("--every-edge", type=int, default=1, help="cut at each n-th frame's edge")
    parser.add_argument("--locks", type=int, nargs="+", default=[1, 3, 8])
    parser.add_argument("--damages", type=int, default=len(damage.DAMAGES))
    parser.add_argument("--jumps", nargs="+", default=["+3600", "-3600", "+1d", "-1d"])
    parser.add_argument("--audits", type=int, default=15)
    parser.add_argument("--reconnects", type=int, default=86_400, help="a day's, one a second")
    parser.add_argument(
        "--allow-skips", action="store_true", help="do not fail where something can't be tried"
    )
    parser.add_argument("--note", type=Path, help="write the results into this file, too")
    return parser.parse_args(words)


def tried(name: str, options: argparse.Namespace) -> Judged:
    """One trial in a folder of its own; it must neither raise nor leave anything behind."""
    with tempfile.TemporaryDirectory(prefix="pitwall-chaos-") as folder:
        try:
            return TRIALS[name](Path(folder), options)
        except (AssertionError, OSError, ValueError, sqlite3.Error) as error:
            said = " ".join(str(error).split())
            return False, f"{type(error).__name__}: {said[-300:]}"


def main(words: list[str] | None = None) -> int:
    options, lines, failed = options_of(words), [], False
    # What the program says of the damage that is done to it here, a thousand times over.
    logging.basicConfig(handlers=[logging.NullHandler()])
    for name in options.only:
        began = time.monotonic()
        good, said = tried(name, options)
        result = "skipped" if was_skipped(said) else "ok" if good else "FAILED"
        failed = failed or not good or (result == "skipped" and not options.allow_skips)
        line = f"| {name} | {result} | {time.monotonic() - began:.0f} | {said} |"
        print(line, flush=True)
        lines.append(line)
    if options.note is not None:
        write_note(options.note, lines)
    return 1 if failed else 0


def write_note(path: Path, lines: list[str]) -> None:
    machine = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    head = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine}, {os.cpu_count()} cores"
    table = ["| trial | result | s | what was seen |", "|---|---|---:|---|", *lines]
    path.write_text("\n".join([head, "", *table, ""]), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
