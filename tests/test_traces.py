"""What a real exchange did, replayed, against the exchange's own account of it.

What can't agree has a row with its reason, and is asserted too: the board says what it saw.
"""

import json
import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from app.domain.days import BusinessDay
from app.domain.floor import Floor
from app.domain.report import floor_report
from app.replay import Replay, read_trace
from tests.story import UTC_ZONE, restored

Told = list[tuple[int, str, dict[str, str]]]

TRACES = {path.stem: path for path in sorted((Path(__file__).parent / "traces").glob("*.jsonl"))}
SEEDS = range(5)
# A trace ends with its last webhook; whatever time must settle is settled two minutes later.
SETTLED_MS = 120_000

# (trace, subject, figure) → (what the board says, what the exchange says), and why.
DIFFERENCES = {
    # A queue's time-out has no webhook of its own; it is sent as an abandon.
    ("s11_timeout_overflow_to_other_queue", "999", "abandoned"): (1, 0),
    # So has being thrown out of an emptied queue.
    ("s13_leave_empty_and_join_empty", "666", "abandoned"): (1, 0),
    # The exchange charges the first agent with the whole call when a Local member transfers it.
    ("s16_blind_transfer_to_agent", "999", "talk"): (3.001, 12),
    ("s16_blind_transfer_to_agent", "101", "talk"): (3.001, 12),
    ("s36_supervisor_kicks_and_moves_callers", "999", "talk"): (5.041, 10),
    ("s36_supervisor_kicks_and_moves_callers", "101", "talk"): (5.041, 10),
    # The transfer is not answered, or has no webhook: the agent's part stays in doubt to the end.
    ("s18_blind_transfer_no_answer", "101", "on the phone"): (22.022, 2.009),
    ("s19_attended_transfer", "101", "on the phone"): (10.131, 6.123),
    # No webhook ever spoke of the phone that the call was handed to.
    ("s19_attended_transfer", "103", "on the phone"): (0, 6.027),
}


@cache
def told_in(name: str) -> Told:
    return list(read_trace(TRACES[name]))


@cache
def truth_of(name: str) -> dict[str, Any]:
    text = TRACES[name].with_suffix(".truth.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def replayed(told: Told) -> Replay:
    run = Replay(BusinessDay(UTC_ZONE))
    for at, path, params in told:
        run.webhook(at, path, params)
    run.run_until(told[-1][0] + SETTLED_MS)
    return run


def reported(run: Replay) -> dict[str, Any]:
    return floor_report(run.floor.state, run.now)


def by_name(rows: list[dict[str, Any]], name: str) -> dict[str, dict[str, Any]]:
    return {row[name]: row["today"] for row in rows}


def counts(run: Replay) -> dict[str, tuple[int, ...]]:
    """Per queue what must not depend on order: offered, answered, abandoned, otherwise."""
    words = ("offered", "answered", "abandoned", "otherwise")
    queues = by_name(reported(run)["queues"], "queue")
    return {queue: tuple(today[word] for word in words) for queue, today in queues.items()}


def differences(name: str) -> dict[tuple[str, str, str], tuple[float, float]]:
    """(trace, queue or extension, figure) → (board, exchange), where they are not the same.

    The exchange's queue log has whole seconds: a talk may differ by one for each call.
    """
    report, truth = reported(replayed(told_in(name))), truth_of(name)
    found: dict[tuple[str, str, str], tuple[float, float]] = {}
    for queue, said in truth["queues"].items():
        seen = by_name(report["queues"], "queue").get(queue, {})
        found |= {(name, queue, word): pair for word, pair in queue_differences(seen, said)}
    for extension, said in truth["agents"].items():
        seen = by_name(report["agents"], "extension").get(extension, {})
        found |= {(name, extension, word): pair for word, pair in agent_differences(seen, said)}
    return found


def queue_differences(
    seen: dict[str, Any], said: dict[str, Any]
) -> list[tuple[str, tuple[float, float]]]:
    names = {"offered": "offered", "answered": "answered", "abandoned": "abandoned"}
    names["answered_in_t"] = "answered_within_20s"
    pairs = [(word, (seen.get(word, 0), said[other])) for word, other in names.items()]
    wrong = [(word, pair) for word, pair in pairs if pair[0] != pair[1]]
    talk = (seen.get("aht_s") or 0) * seen.get("answered", 0)
    return [*wrong, *talk_difference(talk, sum(said["talk"]), said["answered"])]


def agent_differences(
    seen: dict[str, Any], said: dict[str, Any]
) -> list[tuple[str, tuple[float, float]]]:
    names = {"answered": "answered", "missed": "ring_noanswer"}
    pairs = [(word, (seen.get(word, 0), said[other])) for word, other in names.items()]
    wrong = [(word, pair) for word, pair in pairs if pair[0] != pair[1]]
    phone = sum(said["phone_seconds"].get(word, 0) for word in ("INUSE", "RINGINUSE"))
    if abs(seen.get("talk_s", 0) - phone) > 0.2:
        wrong.append(("on the phone", (seen.get("talk_s", 0), phone)))
    talk = seen.get("queue_talk_s", 0)
    return [*wrong, *talk_difference(talk, said["queue_talk_total"], said["answered"])]


def talk_difference(seen: float, said: float, calls: int) -> list[tuple[str, tuple[float, float]]]:
    return [("talk", (round(seen, 3), said))] if abs(seen - said) > max(1, calls) else []


@pytest.mark.parametrize("name", TRACES)
def test_the_board_agrees_with_the_exchange(name: str) -> None:
    known = {key: pair for key, pair in DIFFERENCES.items() if key[0] == name}

    assert differences(name) == known


@pytest.mark.parametrize("name", TRACES)
def test_abandoned_waits_are_the_exchange_s_own(name: str) -> None:
    holds = {queue: said["abandoned_hold"] for queue, said in truth_of(name)["queues"].items()}
    rows = reported(replayed(told_in(name)))["abandons"]
    for queue, waits in holds.items():
        seen = sorted(row["waited_s"] for row in rows if row["queue"] == queue and row["exact"])
        if (name, queue, "abandoned") not in DIFFERENCES:
            assert seen == sorted(waits)


@pytest.mark.parametrize("name", TRACES)
def test_at_the_end_nobody_waits_talks_or_is_in_doubt(name: str) -> None:
    report = reported(replayed(told_in(name)))

    assert report["calls"] == []
    assert {agent["status"] for agent in report["agents"]} <= {"off"}
    assert not any(agent["in_doubt"] for agent in report["agents"])
    assert report["webhooks"]["rejected"] == 0


@pytest.mark.parametrize("name", TRACES)
def test_a_restart_anywhere_changes_nothing(name: str) -> None:
    told = told_in(name)
    whole = replayed(told).floor.state
    for cut in range(10, len(told), 10):
        run = Replay(BusinessDay(UTC_ZONE))
        for number, (at, path, params) in enumerate(told):
            if number == cut:
                run.floor = Floor(run.days, restored(run.floor.state))
            run.webhook(at, path, params)
        run.run_until(told[-1][0] + SETTLED_MS)
        assert run.floor.state == whole


@pytest.mark.parametrize("name", TRACES)
def test_told_twice_is_told_once(name: str) -> None:
    told = told_in(name)
    once, twice = replayed(told), replayed([row for row in told for _ in range(2)])

    for key in ("agents", "queues", "calls", "abandons", "today"):
        assert reported(twice)[key] == reported(once)[key]


@pytest.mark.parametrize("name", TRACES)
def test_reports_overtaking_each_other_by_three_seconds_count_the_same(name: str) -> None:
    told = told_in(name)
    for seed in SEEDS:
        chance = random.Random(seed)
        late = [(at + chance.randrange(3000), path, params) for at, path, params in told]
        run = replayed(sorted(late, key=lambda row: row[0]))
        assert (seed, counts(run)) == (seed, counts(replayed(told)))
        assert reported(run)["calls"] == []
