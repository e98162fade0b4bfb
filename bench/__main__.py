"""`python -m bench [--quick] [--only PART …] [--print]`: measure, and write docs/performance.md."""

import argparse
import os
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import uvloop

from bench import report, sections
from bench.goals import Section
from bench.measure import machine

Measure = Callable[[sections.Scale], Awaitable[Section | list[Section]]]
PARTS: dict[str, Measure] = {
    "ingest": sections.measure_ingest,
    "fanout": sections.measure_fanout,
    "freshness": sections.measure_freshness,
    "headroom": sections.measure_headroom,
    "floor_size": sections.measure_floor_size,
    "start": sections.measure_start,
    "browser": sections.measure_browser,
    "peers": sections.measure_peers,
    "cluster": sections.measure_cluster,
}


async def measure(names: list[str], scale: sections.Scale) -> list[Section]:
    """The parts one after the other: whatever else runs would be measured too."""
    found: list[Section] = []
    for name in names:
        began = time.monotonic()
        print(f"Measuring {name} …", end=" ", file=sys.stderr, flush=True)
        try:
            made = await PARTS[name](scale)
        except Exception as error:  # noqa: BLE001 - the other parts are worth having all the same
            made = Section(name, lines=[f"Not measured: {str(error) or type(error).__name__}"])
        found += made if isinstance(made, list) else [made]
        print(f"{time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return found


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--quick", action="store_true", help="two minutes instead of twelve")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--print", action="store_true", help="leave docs/performance.md alone")
    options = parser.parse_args()
    if sys.platform != "linux":
        sys.exit("The measurements read /proc, so they need Linux.")
    words, when = machine(), f"{datetime.now(UTC):%Y-%m-%d}"
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        # What sends and watches keeps off the core of what is measured.
        os.sched_setaffinity(0, set(cores[1:]))
    scale = sections.QUICK if options.quick else sections.FULL
    found = uvloop.run(measure(options.only, scale))
    if options.print or options.only != list(PARTS):
        print(report.text_of(found, when, words, quick=options.quick))
    else:
        report.write(found, when, words, quick=options.quick)
        print("Written to docs/performance.md.")


if __name__ == "__main__":
    main()
