"""Real days of a bank's contact centre: the figures of the day, and the board at every minute.

One day is kept with the tests; more are made where the evidence they come from is at hand.
"""

import csv
import gzip
import heapq
import json
import random
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import date, time, timedelta
from functools import cache
from io import StringIO
from pathlib import Path

import pytest

from app.domain.days import BusinessDay
from app.domain.view import QueueTile
from app.replay import Replay
from tests.story import UTC_ZONE

Told = list[tuple[int, str, dict[str, str]]]
Row = dict[str, str]

DATA = Path(__file__).parent / "data"
EVIDENCE = Path(__file__).parents[2] / "shared" / "calls"
KEPT = "1999-06-17"
# The last callers of a day hang up after midnight.
DAYS = BusinessDay(UTC_ZONE, time(4))
NOBODY_KNOWS = "199"

ALL_DAYS = (KEPT, "1999-10-21") if EVIDENCE.is_dir() else (KEPT,)
SEEDS = (5, 6) if EVIDENCE.is_dir() else (5,)


@cache
def webhooks(day: str) -> Told:
    """The clean stream: (at in ms, path, parameters)."""
    kept = DATA / f"bank-{day}.jsonl.gz"
    text = gzip.decompress(kept.read_bytes()).decode() if kept.exists() else made(day)
    rows = map(json.loads, text.splitlines())
    return [(round(row["t"] * 1000), row["path"], row["params"]) for row in rows]


def made(day: str) -> str:
    until = date.fromisoformat(day) + timedelta(days=1)
    command = [sys.executable, "-B", str(EVIDENCE / "tools" / "to_webhooks.py")]
    command += ["--extensions", str(EVIDENCE / "agents.json"), "--unknown-extension", NOBODY_KNOWS]
    command += ["--from", day, "--to", str(until), str(EVIDENCE / f"{day[:7]}.jsonl.gz")]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


@cache
def day_truth(day: str) -> dict[str, Row]:
    """Queue → its figures."""
    kept = DATA / f"bank-{day}-day.csv"
    path = kept if kept.exists() else EVIDENCE / "truth" / "kpi_day.csv"
    rows = csv.DictReader(StringIO(path.read_text(encoding="utf-8")))
    return {row["queue"]: row for row in rows if row["period"] == day and row["queue"] != "ALL"}


def live_truth(day: str) -> dict[int, dict[str, Row]]:
    """Minute (ms) → queue → what was true then."""
    kept = DATA / f"bank-{day}-live.csv.gz"
    path = kept if kept.exists() else EVIDENCE / "truth" / f"live_{day}.csv.gz"
    found: dict[int, dict[str, Row]] = {}
    for row in csv.DictReader(StringIO(gzip.decompress(path.read_bytes()).decode())):
        found.setdefault(int(row["local_epoch"]) * 1000, {})[row["queue"]] = row
    return found


def without_unknown(told: Told) -> Iterator[tuple[int, str, dict[str, str]]]:
    """The same day where the exchange does not say who answered: such answers are refused."""
    for at, path, params in told:
        if params.get("extension") != NOBODY_KNOWS:
            yield at, path, params
        elif params.get("event") != "RING" and "ChangeStatus" not in path:
            yield at, path, {**params, "extension": ""}


def disturbed(told: Iterable[tuple[int, str, dict[str, str]]], seed: int) -> Told:
    """Each webhook up to 3 s late, one in ten a second time within 5 s more."""
    chance = random.Random(seed)
    late: list[tuple[int, int, str, dict[str, str]]] = []
    for at, path, params in told:
        for copy in range(2 if chance.random() < 0.1 else 1):
            delay = chance.randrange(3000) + (chance.randrange(5000) if copy else 0)
            heapq.heappush(late, (at + delay, len(late), path, params))
    return [(at, path, params) for at, _, path, params in sorted(late, key=lambda row: row[:2])]


def day_after(told: Iterable[tuple[int, str, dict[str, str]]]) -> Replay:
    run = Replay(DAYS)
    for at, path, params in told:
        run.webhook(at, path, params)
    run.run_until(run.now + 120_000)
    return run


def wrong_figures(run: Replay, day: str, slack_s: float = 0.01) -> list[tuple[str, str, object]]:
    """(queue, figure, what the board says) where that is not the truth."""
    counted = {"offered": "offered", "answered": "answered", "abandoned": "abandoned"}
    counted["answered_in_t"] = "ans_le_20"
    spans = {"asa_s": "asa_s", "aht_s": "aht_s", "max_wait_s": "longest_wait_s"}
    found: list[tuple[str, str, object]] = []
    for tile in run.floor.queue_tiles():
        truth = day_truth(day)[tile.queue]
        figures = {name: getattr(tile.today, name) for name in (*counted, *spans)}
        found += [
            (tile.queue, name, figures[name])
            for name, other in counted.items()
            if figures[name] != int(truth[other])
        ]
        found += [
            (tile.queue, name, figures[name])
            for name, other in spans.items()
            if abs((figures[name] or 0) - float(truth[other] or 0)) > slack_s
        ]
    return found


@pytest.mark.parametrize("day", ALL_DAYS)
def test_the_figures_of_a_day_are_the_calls_own(day: str) -> None:
    run = day_after(webhooks(day))

    assert {tile.queue for tile in run.floor.queue_tiles()} == set(day_truth(day))
    assert wrong_figures(run, day) == []
    assert run.rejected == 0
    assert run.floor.totals().waiting == run.floor.totals().talking == 0


@pytest.mark.parametrize("day", ALL_DAYS)
def test_answers_that_name_nobody_are_refused_and_their_records_count(day: str) -> None:
    run = day_after(without_unknown(webhooks(day)))

    assert run.rejected > 0
    assert wrong_figures(run, day) == []


@pytest.mark.parametrize("day", ALL_DAYS)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_late_and_told_twice_has_the_same_figures(day: str, seed: int) -> None:
    run = day_after(disturbed(without_unknown(webhooks(day)), seed))

    assert wrong_figures(run, day, slack_s=1.0) == []
    assert run.floor.totals().waiting == run.floor.totals().talking == 0


@pytest.mark.parametrize("day", ALL_DAYS)
def test_the_board_is_right_at_every_minute(day: str) -> None:
    truth = live_truth(day)
    wrong = [
        (minute, *difference)
        for minute, tiles in minutes_of(day, sorted(truth))
        for tile in tiles
        for difference in wrong_now(tile, truth[minute][tile.queue], minute)
    ]

    # A caller who hangs up in the last second of a minute is recorded in the next.
    assert {name for _, _, name, *_ in wrong} <= {"abandoned"}
    assert all(int(said) - seen == 1 for *_, seen, said in wrong)
    assert len(wrong) < 5


def minutes_of(day: str, minutes: list[int]) -> Iterator[tuple[int, list[QueueTile]]]:
    """The queues at each of the minutes, after what had been told by then."""
    run, told = Replay(DAYS), webhooks(day)
    position = 0
    for minute in minutes:
        while position < len(told) and told[position][0] <= minute:
            run.webhook(*told[position])
            position += 1
        if run.now:
            run.run_until(minute)
            yield minute, run.floor.queue_tiles()


def wrong_now(tile: QueueTile, truth: Row, now: int) -> list[tuple[str, str, float, str]]:
    longest = 0.0 if tile.oldest is None else (now - tile.oldest) / 1000
    seen = {
        "waiting": tile.waiting,
        "longest_waiting_s": longest,
        "talking": tile.talking,
        "answered": tile.today.answered,
        "abandoned": tile.today.abandoned,
    }
    return [
        (tile.queue, name, value, truth[name])
        for name, value in seen.items()
        if value != float(truth[name])
    ]
