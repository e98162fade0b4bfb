"""`make chaos`: every promise for bad days, tried; prints what came of it, and fails if one broke.

`python -m tests.chaos [--only NAME …] [--kills N] [--restarts N] [--note FILE]`
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
    damage,
    disk,
    forgetful,
    kills,
    listening,
    night,
    peers,
    power,
    restarts,
    tracing,
    trouble,
    unwritten,
)
from tests.chaos.verdict import Judged, soon, told

Trial = Callable[[Path, argparse.Namespace], Judged]


def r1_kills(folder: Path, options: argparse.Namespace) -> Judged:
    found = kills.kill_often(folder, options.kills)
    return found.is_good, str(found)


def r2_same_after_kill(folder: Path, options: argparse.Namespace) -> Judged:
    same = restarts.same_after_kill(folder)
    return same, "the floor before the kill is the floor after it" if same else "they differ"


def r2_million(folder: Path, options: argparse.Namespace) -> Judged:
    found = big.ready_after(folder, options.events)
    slowest = max(float(str(found["ready after, s"])), float(str(found["ready after a kill, s"])))
    return slowest <= 5, told(found)


def r3_order(folder: Path, options: argparse.Namespace) -> Judged:
    if tracing.strace() is None:
        return True, "SKIPPED: there is no strace here"
    answers, early = power.answers_before_sync(folder)
    return answers >= 30 and not early, f"{answers} answers, {early} of them before fdatasync"


def r3_torn(folder: Path, options: argparse.Namespace) -> Judged:
    found = power.tear(folder, options.cuts, options.cuts // 5, every_edge=options.every_edge)
    return found.is_good, str(found)


def r3_forgotten(folder: Path, options: argparse.Namespace) -> Judged:
    if tracing.strace() is None:
        return True, "SKIPPED: there is no strace here"
    found = forgetful.forget(folder, options.webhooks, options.cuts)
    return found.is_good and found.answers == options.webhooks, str(found)


def r4_full(folder: Path, options: argparse.Namespace) -> Judged:
    if os.geteuid() != 0 or sys.platform != "linux":
        return True, "SKIPPED: only root can mount a small disk"
    found = disk.full_disk(folder)
    refused, counted = cast(tuple[int, int], found["refused and counted"])
    good = bool(
        found["ballast given up"]
        and found["whole"]
        and not found["lost"]
        and not found["answered otherwise"]
        and refused == counted
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
        and found["whole"]
        and not found["lost"]
        and found["live"] == 200
        and soon(found["banner after, s"], 5)
        and soon(found["saved again after, s"], 10)
        and soon(found["banner gone after, s"], 10)
    )
    return good, told(found)


def r5_refusals(folder: Path, options: argparse.Namespace) -> Judged:
    found = disk.refusals(folder)
    good = all(code != 0 and seconds < 10 for code, seconds, _ in found.values())
    said = (f"{what}: exit {code} in {spent:.1f} s" for what, (code, spent, _) in found.items())
    return good, "; ".join(said)


def r6_locked(folder: Path, options: argparse.Namespace) -> Judged:
    found = {}
    for seconds in options.locks:
        place = folder / str(seconds)
        place.mkdir()
        found[seconds] = disk.locked(place, seconds)
    good = all(
        each["answered meanwhile"] == [200 if seconds <= 3 else 503]
        and each["live"] == 200
        and not each["lost"]
        and soon(each["saved again after, s"], 10)
        for seconds, each in found.items()
    )
    return good, "; ".join(told(each) for each in found.values())


def r7_damaged(folder: Path, options: argparse.Namespace) -> Judged:
    good, said = True, []
    for name, damaging in list(damage.DAMAGES.items())[: options.damages]:
        for with_backup in (True, False):
            place = folder / f"{name}-{with_backup}"
            place.mkdir()
            found = damage.damaged(place, damaging, with_backup)
            left = 30 if with_backup else 0
            good = good and bool(
                found["works"]
                and found["moved aside unchanged"]
                and found["said"]
                and found["old calls left"] == left
            )
            kept = "from the backup" if with_backup else "empty"
            said.append(f"{name}, {kept}: up after {found['started after, s']} s")
    return good, "; ".join(said)


def r7_strange_wal(folder: Path, options: argparse.Namespace) -> Judged:
    found = damage.strange_wal(folder)
    return bool(found["works"] and found["whole"] and found["said"]), told(found)


def r8_clock(folder: Path, options: argparse.Namespace) -> Judged:
    if clocks.library() is None:
        return True, "SKIPPED: there is no libfaketime here (apt-get install faketime)"
    good, said = True, []
    for jump in options.jumps:
        place = folder / jump
        place.mkdir()
        found = clocks.jumped(place, jump)
        said.append(told(found))
        off_s = abs(cast(float, found.pop("error of its length, s")))
        good = good and off_s <= 5 and all(found.values())
    return good, "; ".join(said)


def r22_audit(folder: Path, options: argparse.Namespace) -> Judged:
    found = listening.audited(folder, options.audits)
    return bool(found["asked of the PBX"] and not found["asked without an intent"]), told(found)


TRIALS: dict[str, Trial] = {
    trial.__name__: trial
    for trial in (
        r1_kills,
        r2_same_after_kill,
        r2_million,
        r3_order,
        r3_torn,
        r3_forgotten,
        r4_full,
        r4_quota,
        r5_refusals,
        r6_locked,
        r7_damaged,
        r7_strange_wal,
        *night.TRIALS,
        r8_clock,
        *trouble.TRIALS,
        *restarts.TRIALS,
        r22_audit,
        *unwritten.TRIALS,
        *peers.TRIALS,
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


def main() -> int:
    options, lines, failed = options_of(), [], False
    # What the program says of the damage that is done to it here, a thousand times over.
    logging.basicConfig(handlers=[logging.NullHandler()])
    for name in options.only:
        began = time.monotonic()
        good, said = tried(name, options)
        failed = failed or not good
        line = (
            f"| {name} | {'ok' if good else 'FAILED'} | {time.monotonic() - began:.0f} | {said} |"
        )
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
