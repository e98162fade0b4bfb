"""The command `python -m app.simulator`: a live PBX, or with --trace a day in a file."""

import argparse
import asyncio
import random
import sys
from pathlib import Path

from app.simulator.faults import Line
from app.simulator.options import faults_of, parser, plan_of
from app.simulator.serve import plan_silence, serve, write_truth
from app.simulator.trace import write_trace
from app.simulator.world import World


def main() -> None:
    options = parser().parse_args()
    if options.trace:
        make_trace(options)
    elif options.target:
        asyncio.run(serve(options))
    else:
        sys.exit("--target is missing: the base URL that gets the webhooks (or --trace FILE).")


def make_trace(options: argparse.Namespace) -> None:
    world = World(plan_of(options))
    line = Line(faults_of(options), random.Random(f"{options.seed} line"))
    plan_silence(options, world, line.faults)
    hours = 8.0 if options.hours is None else options.hours
    method = "GET" if options.push == "get" else "POST"
    count = write_trace(world, line, Path(options.trace), hours=hours, method=method)
    write_truth(options, world)
    print(f"{count} webhooks of {hours:g} h in {options.trace}")


if __name__ == "__main__":
    main()
