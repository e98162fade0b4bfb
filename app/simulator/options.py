"""The command line, and what is built from it."""

import argparse
import time
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from app.simulator.faults import Faults
from app.simulator.habits import Habits
from app.simulator.world import Plan

DESCRIPTION = "A plausible PBX with its people: pushes webhooks and serves the PBX's own API."
# Traces with the same seed are the same file on every machine and day.
TRACE_START = "2026-03-02T08:00:00"
TRACE_ZONE = "UTC"


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m app.simulator", description=DESCRIPTION)
    add = made.add_argument
    add("--target", help="base URL that gets the webhooks, e.g. http://127.0.0.1:8000/hook/TOKEN")
    add("--push", choices=("get", "json"), default="get", help="query strings or JSON bodies")
    add("--connections", type=positive, default=4, help="webhooks under way at once")
    add("--no-keep-alive", action="store_true", help="a new connection for each webhook")
    add("--host", default="127.0.0.1", help="where the PBX's API listens")
    add("--port", type=int, default=8090, help="port of the PBX's API and of /sim")
    add("--key", default="demo-key", help="the key that API requests must carry")
    add("--hours", type=float, help="close after so many simulated hours, stop when all are gone")
    add("--wait", type=float, default=15.0, help="seconds to wait for the target to listen")
    add("--trace-out", metavar="FILE", help="also write what is sent, one webhook a line")
    add("--truth-file", metavar="FILE", help="write the truth there at the end")
    add("--trace", metavar="FILE", help="no network: write a trace of --hours (8) and stop")
    add_floor(made)
    add_faults(made)
    return made


def add_floor(made: argparse.ArgumentParser) -> None:
    add = made.add_argument_group("the floor").add_argument
    add("--agents", type=positive, default=24)
    add("--queues", type=int, default=0, help="default: 3, or one for each 25 agents")
    add("--speed", type=speed, default=1.0, help="simulated seconds in a real one, 0.1 to 100")
    add("--seed", type=int, default=7, help="the same seed makes the same day")
    add("--load", type=float, default=0.85, help="share of the agents' time that callers want")
    add("--talk", type=float, default=Habits().talk, help="mean length of a talk, s")
    add("--day", action="store_true", help="demand follows a day that begins at the start")
    add("--cold", action="store_true", help="start with nobody there")
    add("--strategy", choices=("mixed", "ring-all", "round-robin"), default="mixed")
    add("--supervisors", type=extensions, default=Plan().supervisors, help="e.g. 900,910-919")
    add("--start", help="simulated local time of the start, ISO 8601; default: now")
    add("--timezone", help="of the PBX's local time, e.g. Asia/Ho_Chi_Minh; default: the system's")
    add(
        "--no-announce-waiting",
        action="store_true",
        help="say nothing of a caller for whom no phone rings yet",
    )


def add_faults(made: argparse.ArgumentParser) -> None:
    add = made.add_argument_group("faults").add_argument
    for name in ("drop", "duplicate"):
        add(f"--{name}", type=float, default=0.0, help="share of the webhooks, 0 to 1")
    add("--delay", type=float, default=0.0, help="up to so many simulated seconds each")
    add("--reorder", action="store_true", help="webhooks overtake one another within a second")
    add("--silent-from", type=float, help="simulated seconds after the start")
    add("--silent-for", type=float, default=60.0)
    add("--api-slow", type=float, default=0.0, help="real seconds before each API reply")
    add("--api-error", action="store_true", help="every API request fails with 500")
    add("--api-garbage", action="store_true", help="every API reply is nonsense")


def plan_of(options: argparse.Namespace) -> Plan:
    zone = zone_of(options)
    return Plan(
        agents=options.agents,
        queues=options.queues,
        seed=options.seed,
        start=start_of(options, zone),
        zone=zone,
        load=options.load,
        warm=not options.cold,
        day=options.day,
        strategy=options.strategy,
        announce_waiting=not options.no_announce_waiting,
        supervisors=options.supervisors,
        habits=Habits(talk=options.talk),
    )


def faults_of(options: argparse.Namespace) -> Faults:
    return Faults(
        drop=options.drop,
        duplicate=options.duplicate,
        delay=options.delay,
        reorder=float(options.reorder),
        api_slow=options.api_slow,
        api_error=float(options.api_error),
        api_garbage=float(options.api_garbage),
    )


def zone_of(options: argparse.Namespace) -> tzinfo | None:
    name = options.timezone or (TRACE_ZONE if options.trace else None)
    return ZoneInfo(name) if name else None


def start_of(options: argparse.Namespace, zone: tzinfo | None) -> float:
    text = options.start or (TRACE_START if options.trace else "")
    if not text:
        return time.time()
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def speed(text: str) -> float:
    value = float(text)
    if not 0.1 <= value <= 100:
        raise argparse.ArgumentTypeError("must be between 0.1 and 100")
    return value


def extensions(text: str) -> tuple[str, ...]:
    """`900,910-919` as single extensions."""
    found: list[str] = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        found += [str(number) for number in range(int(first), int(last or first) + 1)]
    return tuple(found)
