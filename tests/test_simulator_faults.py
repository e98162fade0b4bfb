"""What goes wrong on the way from the simulated exchange, and the files it writes."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from app.simulator.faults import Faults, Line
from app.simulator.trace import write_trace
from app.simulator.wire import Webhook
from app.simulator.world import Plan, World

PLAN = Plan(agents=6, seed=5, start=1_772_438_400.0)


def webhooks(count: int) -> list[Webhook]:
    return [
        Webhook(float(number), "/api/callcenter/hangup", {"callid": str(number)}, "Hangup")
        for number in range(count)
    ]


def callids(line: Line, now: float = 1e9) -> list[int]:
    return [int(webhook.params["callid"]) for _, webhook in line.due(now)]


def line_with(**faults: float) -> Line:
    return Line(Faults(**faults), random.Random(1))


def test_without_faults_everything_arrives_once_and_in_order() -> None:
    line = line_with()
    line.feed(webhooks(100))

    assert callids(line) == list(range(100))


def test_dropped_webhooks_never_arrive() -> None:
    line = line_with(drop=0.1)
    line.feed(webhooks(1000))
    arrived = callids(line)

    assert len(arrived) == 1000 - line.counts["dropped"]
    assert 60 < line.counts["dropped"] < 140


def test_doubled_webhooks_arrive_twice() -> None:
    line = line_with(duplicate=0.1)
    line.feed(webhooks(1000))
    arrived = callids(line)

    assert sorted(set(arrived)) == list(range(1000))
    assert len(arrived) == 1000 + line.counts["duplicated"]
    assert 60 < line.counts["duplicated"] < 140


def test_late_webhooks_arrive_within_the_delay_and_not_before() -> None:
    line = line_with(delay=3.0)
    line.feed(webhooks(10))

    assert len(callids(line, 5.0)) <= 6
    assert len(callids(line, 9.0 + 3.0)) >= 4


def test_reordered_webhooks_overtake_one_another() -> None:
    line = line_with(reorder=1.0)
    line.feed([replace(webhook, at=0.0) for webhook in webhooks(50)])
    arrived = callids(line)

    assert arrived != list(range(50))
    assert sorted(arrived) == list(range(50))


def test_a_silent_exchange_sends_nothing_until_it_speaks_again() -> None:
    line = line_with(silent=1.0)
    line.feed(webhooks(10))
    line.faults.change({"silent": False})
    line.feed(webhooks(3))

    assert callids(line) == [0, 1, 2]
    assert line.counts["silenced"] == 10


@pytest.mark.parametrize("wanted", [{"noise": 1}, {"drop": -0.1}, {"drop": "much"}, {"drop": None}])
def test_a_wrong_fault_is_refused_and_changes_nothing(wanted: dict[str, object]) -> None:
    faults = Faults()

    with pytest.raises(ValueError, match=next(iter(wanted))):
        faults.change({"delay": 3.0} | wanted)
    assert faults == Faults()


def test_a_trace_has_one_webhook_a_line_and_ends_when_all_calls_are_over(tmp_path: Path) -> None:
    world, path = World(PLAN), tmp_path / "day.jsonl"

    count = write_trace(world, line_with(), path, hours=0.2, method="POST")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    assert len(lines) == count > 20
    assert {tuple(line) for line in lines} == {("t", "method", "path", "params", "src")}
    assert {line["method"] for line in lines} == {"POST"}
    assert world.exchange.switch.calls == {}
