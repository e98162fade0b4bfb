"""A simulated centre with its people: the same by seed, plausible, and its sums add up."""

import datetime
import re
from collections import Counter, defaultdict
from dataclasses import replace

import pytest

from app.pbx import voicecloud
from app.simulator.habits import Habits
from app.simulator.model import Queue
from app.simulator.options import faults_of, parser, plan_of
from app.simulator.truth import truth
from app.simulator.wire import Webhook
from app.simulator.world import Plan, World

START = 1_772_438_400.0
PLAN = Plan(agents=24, seed=7, start=START, zone=datetime.UTC)
HOUR = 3600.0

REQUIRED = {
    "call_in": {"callid", "phone"},
    "hangup": {"callid"},
    "calldata": {"callid", "status"},
    "init": {"callid", "extension", "phone", "event"},
    "ChangeStatus": {"extension", "status"},
}
ALLOWED = {
    "call_in": {"callid", "phone", "extension", "queue", "did", "event"},
    "hangup": {"callid"},
    "calldata": {
        *("callid", "calldate", "duration", "billsec", "status", "did", "extension", "phone"),
        *("direction", "recordingfile", "queue", "holdtime"),
    },
    "init": {"callid", "extension", "phone", "event"},
    "ChangeStatus": {"extension", "status"},
}
WORDS = {
    "call_in": {"RING", "ANSWER"},
    "init": {"RING", "ANSWER"},
    "calldata": {"ANSWER", "BUSY", "NOANSWER", "ABANDON"},
    "ChangeStatus": {"off", "on", "pause", "ring", "talk"},
}


def run(plan: Plan, seconds: float) -> tuple[World, list[Webhook]]:
    world = World(plan)
    world.start()
    return world, world.run_until(plan.start + seconds)


def run_to_the_end(plan: Plan, seconds: float) -> tuple[World, list[Webhook]]:
    """After that many seconds everybody goes home; all calls are over."""
    world, webhooks = run(plan, seconds)
    world.close()
    return world, webhooks + world.run_until(plan.start + seconds + 2 * HOUR)


def kind_of(webhook: Webhook) -> str:
    return webhook.path.rpartition("/")[2]


def in_short(webhooks: list[Webhook]) -> list[tuple[float, str, tuple[tuple[str, str], ...]]]:
    return [(hook.at, hook.path, tuple(sorted(hook.params.items()))) for hook in webhooks]


def complaint(webhook: Webhook) -> str:
    """What the contract says against it, or nothing."""
    kind, params = kind_of(webhook), webhook.params
    word = params.get("event") or params.get("status")
    if not REQUIRED[kind] <= set(params) <= ALLOWED[kind]:
        return f"fields of {kind}: {sorted(params)}"
    if kind in WORDS and word not in WORDS[kind]:
        return f"word of {kind}: {word}"
    if not all(params.values()):
        return f"empty value in {params}"
    if word == "ABANDON" and not {"queue", "holdtime"} <= set(params):
        return f"abandon without queue or holdtime: {params}"
    date = params.get("calldate")
    return "" if date is None or re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", date) else date


def test_the_same_seed_makes_the_same_day() -> None:
    _, first = run(PLAN, HOUR / 2)
    _, second = run(PLAN, HOUR / 2)
    _, other = run(replace(PLAN, seed=8), HOUR / 2)

    assert in_short(first) == in_short(second)
    assert in_short(first) != in_short(other)


def test_the_day_does_not_depend_on_how_often_the_clock_is_read() -> None:
    _, at_once = run(PLAN, 300.0)
    world = World(PLAN)
    world.start()
    in_steps = [hook for tick in range(3001) for hook in world.run_until(START + tick * 0.1)]

    assert in_short(in_steps) == in_short(at_once)


def test_every_webhook_keeps_to_the_contract() -> None:
    _, webhooks = run_to_the_end(PLAN, HOUR)

    assert {complaint(webhook) for webhook in webhooks} == {""}
    assert {kind_of(webhook) for webhook in webhooks} == set(REQUIRED)


def test_the_dialect_understands_every_webhook_without_a_flag() -> None:
    _, webhooks = run_to_the_end(PLAN, HOUR)

    events = [
        voicecloud.decode(
            webhook.path, webhook.params, now=int(webhook.at * 1000), zone=datetime.UTC
        )
        for webhook in webhooks
    ]

    assert [event for event in events if event.flags] == []


def test_webhooks_leave_in_the_order_of_their_time() -> None:
    _, webhooks = run(PLAN, HOUR)
    times = [webhook.at for webhook in webhooks]

    assert times == sorted(times)


def test_a_warm_start_is_in_full_swing_after_ten_seconds() -> None:
    world, webhooks = run(PLAN, 10.0)
    talking = [agent for agent in world.exchange.switch.agents.values() if agent.talks]

    assert sum(webhook.params.get("status") == "on" for webhook in webhooks) > 15
    assert len(talking) >= 5


def test_a_floor_looks_alive() -> None:
    world, webhooks = run(PLAN, 2 * HOUR)
    words = Counter(hook.params.get("status") or hook.params.get("event") for hook in webhooks)
    sums = [queue.tally for queue in world.exchange.switch.queues.values()]
    answered = sum(tally.answered for tally in sums)

    assert all(tally.abandoned for tally in sums)
    assert (
        0.02 < sum(tally.abandoned for tally in sums) / sum(tally.offered for tally in sums) < 0.25
    )
    assert 30 < sum(tally.talk for tally in sums) / answered < 240
    assert not {"NOANSWER", "pause", "off", "BUSY", "ring"} - set(words)


def test_people_are_rung_only_while_they_are_free() -> None:
    _, webhooks = run(PLAN, HOUR)
    state: dict[str, str] = defaultdict(lambda: "off")
    wrong = []
    for webhook in webhooks:
        extension = webhook.params.get("extension", "")
        if kind_of(webhook) == "ChangeStatus":
            state[extension] = webhook.params["status"]
        elif webhook.params.get("event") == "RING" and "queue" in webhook.params and extension:
            wrong += [webhook] if state[extension] not in ("on", "ring") else []

    assert wrong == []


@pytest.mark.parametrize("seed", range(5))
def test_nobody_talks_twice_at_once_and_every_status_is_the_phones(seed: int) -> None:
    world = World(replace(PLAN, seed=seed))
    world.start()
    for minute in range(1, 90):
        world.run_until(START + minute * 20.0)
        for agent in world.exchange.switch.agents.values():
            assert sum(leg.talks for leg in agent.legs.values()) <= 1
            assert agent.word == agent.status()


@pytest.mark.parametrize("seed", range(5))
def test_the_sums_add_up_while_people_wait(seed: int) -> None:
    world, _ = run(replace(PLAN, seed=seed, load=1.3), HOUR)

    for queue in world.exchange.switch.queues.values():
        assert queue.tally.offered == left(queue) + len(queue.waiting)
        assert queue.waiting or queue.tally.offered


def left(queue: Queue) -> int:
    return queue.tally.answered + queue.tally.abandoned + queue.tally.otherwise


@pytest.mark.parametrize("seed", range(5))
def test_every_call_ends_and_everybody_goes_home(seed: int) -> None:
    world, webhooks = run_to_the_end(replace(PLAN, seed=seed), HOUR)
    started = {hook.params["callid"] for hook in webhooks if "callid" in hook.params}
    ended = Counter(hook.params["callid"] for hook in webhooks if kind_of(hook) == "hangup")

    assert world.exchange.switch.calls == {}
    assert set(ended) == started
    assert set(ended.values()) == {1}
    assert {agent.word for agent in world.exchange.switch.agents.values()} == {"off"}
    assert all(not agent.legs for agent in world.exchange.switch.agents.values())


def test_the_truth_agrees_with_what_was_said() -> None:
    world, webhooks = run_to_the_end(replace(PLAN, seed=3), HOUR)
    told = truth(world.exchange)
    answers = Counter(
        webhook.params["queue"]
        for webhook in webhooks
        if webhook.params.get("event") == "ANSWER" and "queue" in webhook.params
    )

    assert {number: day["answered"] for number, day in told["today"].items()} == answers
    assert sum(agent["today"]["answered"] for agent in told["agents"].values()) >= answers.total()
    assert told["calls"] == {}


def test_transfers_of_both_kinds_happen() -> None:
    habits = Habits(blind_transfers=0.4, attended_transfers=0.4)
    _, webhooks = run(replace(PLAN, habits=habits), HOUR)
    answered_at: dict[str, set[str]] = defaultdict(set)
    for webhook in webhooks:
        if webhook.params.get("event") == "ANSWER":
            answered_at[webhook.params["callid"]].add(webhook.params["extension"])

    assert any(len(places) == 2 for places in answered_at.values())


@pytest.mark.parametrize("agents", [1, 2, 5, 300, 1000])
def test_any_size_of_centre_runs(agents: int) -> None:
    world, webhooks = run_to_the_end(replace(PLAN, agents=agents), 120.0)
    names = [agent.name for agent in world.exchange.switch.agents.values()]

    assert webhooks
    assert len(set(names)) == len(names)
    assert world.exchange.switch.calls == {}


def test_numbers_of_queues_agents_and_supervisors_do_not_collide() -> None:
    for agents in (1, 24, 700, 5000, 10_000):
        switch = World(replace(PLAN, agents=agents)).exchange.switch

        assert not set(switch.agents) & set(switch.queues)
        assert len([agent for agent in switch.agents.values() if agent.queues]) == agents


def test_the_command_line_makes_the_plan() -> None:
    options = parser().parse_args(
        "--target http://pbx.invalid --agents 50 --queues 4 --seed 3 --drop 0.1 --delay 3 "
        "--reorder --timezone Asia/Ho_Chi_Minh --start 2026-03-02T08:00:00 "
        "--supervisors 900,910-912".split()
    )
    plan, faults = plan_of(options), faults_of(options)

    assert (plan.agents, plan.queues, plan.seed) == (50, 4, 3)
    assert plan.start == datetime.datetime(2026, 3, 2, 1, tzinfo=datetime.UTC).timestamp()
    assert plan.supervisors == ("900", "910", "911", "912")
    assert (faults.drop, faults.delay, faults.reorder, faults.duplicate) == (0.1, 3.0, 1.0, 0.0)
