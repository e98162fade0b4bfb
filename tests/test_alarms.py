"""Alarms: raised, repeated, seen, silenced and cleared, all by ticks; stories and their outcome."""

import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.domain.alarms import LOG_KEPT, active_since, note
from app.domain.default_rules import DEFAULTS
from app.domain.events import (
    AgentNamed,
    AlarmAcknowledged,
    AlarmRuleRemoved,
    AlarmRuleSet,
    AlarmSent,
    AlarmShelved,
    CallRecorded,
    Event,
    PauseNoted,
    Tick,
)
from app.domain.metrics import METRICS
from app.domain.numbers import Numbers
from app.domain.rules import AlarmRule, Level
from app.domain.turn import Turn
from tests.story import UTC_ZONE, Story, after, restored


def rule(metric: str, **fields: Any) -> AlarmRuleSet:
    return AlarmRuleSet(rule="r", metric=metric, **fields)


def said(story: Story) -> str:
    """The alarm log: "raised 1, cleared 1"."""
    return ", ".join(f"{line.what} {line.level.value}" for line in story.state.alarm_log)


def standing(story: Story) -> str:
    """What stands: "999 2" for a critical alarm of queue 999."""
    alarms = story.state.alarms.values()
    return ", ".join(f"{one.subject or 'floor'} {one.level.value}" for one in alarms if one.level)


def seen(by: str = "ann", subject: str = "999") -> AlarmAcknowledged:
    return AlarmAcknowledged(alarm=f"r/{subject}", by=by)


WAIT = rule("longest_wait", warning=60, critical=120)


# Every metric


@pytest.mark.parametrize(
    ("setting", "calm", "bad"),
    [
        (rule("waiting", warning=1), "1 waits in 999, +5s", "2 waits in 999, +5s"),
        (rule("longest_wait", warning=60), "1 waits in 999, +60s", "+5s"),
        (
            rule("service_level", warning=80, least=2),
            "101 on, 1 waits in 999, +30s, 1 answered 101 in 999, 1 hangs up, +2m",
            "2 waits in 999, +30s, 2 answered 101 in 999, 2 hangs up, +2m",
        ),
        (
            rule("abandon_rate", warning=60),
            "101 on, 1 rings 101 in 999, 1 answered 101 in 999, 1 hangs up, +5s",
            "2 waits in 999, 2 abandons 999 after 30, 3 waits in 999, 3 abandons 999 after 30, +5s",
        ),
        (
            rule("free_agents", warning=1),
            "101 on, 1 rings 101 in 999, 1 answered 101 in 999, 102 on, 1 hangs up, +5s",
            "101 pause, +5s",
        ),
        (rule("ringing", warning=20), "101 on, 1 rings 101 in 999, +20s", "+5s"),
        (rule("talking", warning=20), "101 on, 1 answered 101 in 999, +20s", "+5s"),
        (rule("paused", warning=20), "101 pause, +20s", "+5s"),
        (rule("no_webhook", warning=60), "101 on, +60s", "+5s"),
        (rule("repairs", warning=0), "101 on, +5s", "101 verified pause paused, +5s, +5s"),
    ],
    ids=lambda value: value.metric if isinstance(value, AlarmRuleSet) else "",
)
def test_each_metric_is_calm_until_it_is_not(setting, calm, bad):
    story = after(setting, calm)
    assert standing(story) == ""

    story.tell(bad)
    assert "1" in standing(story)


def test_a_pause_past_its_planned_end_is_told():
    planned = PauseNoted(extension="101", reason="Break", until=Story().now + 60_000)
    story = after(rule("pause_overrun", warning=30), "101 pause", planned, "+90s")
    assert standing(story) == ""

    assert standing(story.tell("+5s")) == "101 1"


def test_teams_are_counted_by_their_agents():
    named = [AgentNamed(extension=each, team="Blue") for each in ("101", "102")]
    story = after("101 on, 102 on", *named, rule("free_in_team", warning=2), "+5s")
    assert standing(story) == ""

    assert standing(story.tell("102 pause, +5s")) == "Blue 1"
    assert standing(story.tell(rule("paused_in_team", warning=0), "+5s")) == "Blue 1"


def test_every_metric_is_tested():
    source = Path(__file__).read_text(encoding="utf-8")

    assert set(METRICS) <= set(re.findall(r'rule\(\s*"(\w+)"', source))


# Nothing to say


@pytest.mark.parametrize("metric", ["service_level", "abandon_rate"])
def test_where_nothing_was_offered_nothing_is_wrong(metric):
    limits = {"warning": 101.0} if metric == "service_level" else {"warning": -1.0}

    assert standing(after(rule(metric, **limits), "1 waits in 999, +30s")) == ""


def test_a_percentage_of_too_few_calls_says_nothing():
    gone = "1 waits in 999, 1 abandons 999 after 60, +5s"

    assert standing(after(rule("abandon_rate", warning=5, least=2), gone)) == ""
    assert standing(after(rule("abandon_rate", warning=5, least=1), gone)) == "999 1"


def test_a_queue_whose_agents_are_unknown_lacks_none():
    assert standing(after(rule("free_agents", warning=1), "1 waits in 999, +5s")) == ""


def test_a_board_that_never_heard_of_the_pbx_says_nothing_of_its_silence():
    assert standing(after(rule("no_webhook", warning=10), "+5m")) == ""


def test_a_record_that_was_asked_for_does_not_hide_that_no_webhook_comes():
    fetched = CallRecorded(callid="7", status="ANSWER", fetched=True)
    silence = rule("no_webhook", warning=600)

    assert standing(after(silence, "101 on, +9m", fetched, "+90s")) == "floor 1"
    assert standing(after(silence, "101 on, +9m", replace(fetched, fetched=False), "+90s")) == ""


def test_a_metric_that_this_version_does_not_know_is_no_alarm():
    assert standing(after(rule("magic", warning=1), "1 waits in 999, +5m")) == ""


# Levels and delays


def test_two_levels_one_after_the_other():
    story = after(WAIT, "1 waits in 999, +65s")
    assert standing(story) == "999 1"

    story.tell("+60s")
    assert (standing(story), said(story)) == ("999 2", "raised 1, raised 2")
    story.tell("101 on, 1 answered 101 in 999, +5s")
    assert (standing(story), said(story)) == ("", "raised 1, raised 2, cleared 2")


def test_a_rule_may_be_critical_only():
    assert standing(after(rule("waiting", critical=0), "1 waits in 999, +5s")) == "999 2"


def test_a_blip_shorter_than_the_on_delay_is_no_alarm():
    limits = rule("waiting", warning=0, on_delay_s=10)
    story = after(limits, "1 waits in 999, +10s, 1 hangs up, +30s")
    assert said(story) == ""
    assert story.state.alarms == {}

    assert said(story.tell("2 waits in 999, +15s")) == "raised 1"


def test_the_worse_level_has_its_own_delay():
    limits = rule("waiting", warning=0, critical=1, on_delay_s=10)
    story = after(limits, "1 waits in 999, +10s, 2 waits in 999, +5s")
    assert standing(story) == "999 1"

    assert standing(story.tell("+10s")) == "999 2"


def test_an_alarm_outlives_a_short_calm():
    limits = rule("waiting", warning=0, off_delay_s=10)
    story = after(limits, "1 waits in 999, +5s, 1 hangs up, +10s, 2 waits in 999, +5s")
    assert (standing(story), said(story)) == ("999 1", "raised 1")

    story.tell("2 hangs up, +10s")
    assert standing(story) == "999 1"
    assert said(story.tell("+5s")) == "raised 1, cleared 1"


def test_within_the_dead_band_nothing_changes():
    limits = rule("waiting", warning=2, dead_band=1)
    story = after(limits, "1 waits in 999, 2 waits in 999, 3 waits in 999, +5s, 3 hangs up, +5s")
    assert said(story) == "raised 1"

    assert said(story.tell("2 hangs up, +5s")) == "raised 1, cleared 1"


def test_the_dead_band_is_above_a_lower_limit():
    on = "101 on, 102 on, 103 on, 1 waits in 999"
    serve = ", ".join(f"{n} answered 10{n} in 999, {n} hangs up" for n in (1, 2, 3))
    limits = rule("free_agents", warning=1, dead_band=1)
    story = after(limits, on, serve, "101 pause, 102 pause, 103 pause, +5s")
    assert standing(story) == "999 1"

    assert standing(story.tell("101 on, +5s")) == "999 1"
    assert standing(story.tell("102 on, +5s")) == ""


def test_a_level_eases_before_it_clears():
    limits = rule("waiting", warning=0, critical=1)
    story = after(limits, "1 waits in 999, 2 waits in 999, +5s, 2 hangs up, +5s, 1 hangs up, +5s")

    assert said(story) == "raised 2, eased 1, cleared 2"


def test_nothing_happens_without_ticks():
    assert said(after(WAIT, "1 waits in 999, ~5m, 101 on")) == ""


# Seen and silenced


REPEATED = replace(WAIT, critical=None, repeat_s=60)


def test_an_alarm_that_nobody_sees_speaks_again():
    story = after(REPEATED, "1 waits in 999, +65s, +2m")

    assert said(story) == "raised 1, repeated 1, repeated 1"


def test_one_that_was_seen_is_silent():
    story = after(REPEATED, "1 waits in 999, +65s", seen(), seen("bob"), "+5m")

    assert said(story) == "raised 1, acknowledged 1"
    assert story.state.alarms["r/999"].acknowledged_by == "ann"


def test_what_gets_worse_must_be_seen_again():
    story = after(WAIT, "1 waits in 999, +65s", seen(), "+60s")

    assert said(story) == "raised 1, acknowledged 1, raised 2"
    assert story.state.alarms["r/999"].acknowledged_at is None


def test_what_comes_back_must_be_seen_again():
    story = after(rule("waiting", warning=0), "1 waits in 999, +5s", seen())
    story.tell("1 hangs up, +5s, 2 waits in 999, +5s")

    assert said(story) == "raised 1, acknowledged 1, cleared 1, raised 1"
    assert story.state.alarms["r/999"].acknowledged_at is None


def test_a_shelved_alarm_is_silent_and_then_returns():
    story = after(REPEATED, "1 waits in 999, +65s")
    story.tell(AlarmShelved(alarm="r/999", until=story.now + 180_000, by="ann"), "+175s")
    assert said(story) == "raised 1, shelved 1"
    assert story.state.alarm_shelves["r/999"].by == "ann"

    assert said(story.tell("+5s")) == "raised 1, shelved 1, returned 1"
    assert said(story.tell("+60s")).endswith("returned 1, repeated 1")


def test_a_shelf_outlives_the_alarm():
    story = after(rule("waiting", warning=0, repeat_s=10), "1 waits in 999, +5s")
    story.tell(AlarmShelved(alarm="r/999", until=story.now + 60_000, by="ann"))
    story.tell("1 hangs up, +5s, 2 waits in 999, +30s")

    assert said(story) == "raised 1, shelved 1, cleared 1, raised 1"


def test_a_shelf_whose_alarm_is_gone_ends_without_a_word():
    story = after(rule("waiting", warning=0), "1 waits in 999, +5s")
    story.tell(AlarmShelved(alarm="r/999", until=story.now + 20_000, by="ann"))
    story.tell("1 hangs up, +60s")

    assert said(story) == "raised 1, shelved 1, cleared 1"
    assert story.state.alarm_shelves == {}


def test_taking_a_shelf_back_ends_it_at_once():
    story = after(REPEATED, "1 waits in 999, +65s")
    story.tell(AlarmShelved(alarm="r/999", until=story.now + 600_000, by="ann"))
    story.tell(AlarmShelved(alarm="r/999", until=story.now, by="bob"), "+5s")

    assert said(story) == "raised 1, shelved 1, shelved 1, returned 1"


def test_nobody_sees_or_shelves_what_does_not_stand():
    story = after(WAIT, seen(), AlarmShelved(alarm="r/999", until=1, by="ann"), "+5s")

    assert (said(story), story.state.alarm_shelves) == ("", {})


# Where and when


def test_a_rule_may_watch_one_queue():
    story = after(rule("waiting", scope="999", warning=0), "1 waits in 888, 2 waits in 999, +5s")

    assert standing(story) == "999 1"


def test_a_rule_may_watch_one_team():
    named = AgentNamed(extension="102", team="Blue")
    story = after("101 pause, 102 pause", named, rule("paused", scope="Blue", warning=5), "+10s")

    assert standing(story) == "102 1"


MONDAY, FRIDAY, SATURDAY, SUNDAY = "2026-03-02", "2026-03-06", "2026-03-07", "2026-03-08"
OFFICE = AlarmRule("r", "waiting", active_from=480, active_to=1080, weekdays=(1, 2, 3, 4, 5))
NIGHT = AlarmRule("r", "waiting", active_from=1320, active_to=360, weekdays=(5,))
ALWAYS = AlarmRule("r", "waiting")
WEEKEND = AlarmRule("r", "waiting", weekdays=(6, 7))


@pytest.mark.parametrize(
    ("hours", "moment", "began"),
    [
        (OFFICE, f"{MONDAY} 07:59:59", None),
        (OFFICE, f"{MONDAY} 08:00:00", f"{MONDAY} 08:00:00"),
        (OFFICE, f"{MONDAY} 17:59:59", f"{MONDAY} 08:00:00"),
        (OFFICE, f"{MONDAY} 18:00:00", None),
        (OFFICE, f"{SATURDAY} 12:00:00", None),
        (NIGHT, f"{FRIDAY} 21:59:59", None),
        (NIGHT, f"{FRIDAY} 23:00:00", f"{FRIDAY} 22:00:00"),
        (NIGHT, f"{SATURDAY} 05:59:59", f"{FRIDAY} 22:00:00"),
        (NIGHT, f"{SATURDAY} 06:00:00", None),
        (NIGHT, f"{SATURDAY} 23:00:00", None),
        (NIGHT, f"{FRIDAY} 03:00:00", None),
        (WEEKEND, f"{SUNDAY} 00:00:00", f"{SUNDAY} 00:00:00"),
        (WEEKEND, f"{MONDAY} 00:00:00", None),
    ],
)
def test_hours_and_days(hours, moment, began):
    expected = None if began is None else Story(began).now

    assert active_since(hours, Story(moment).now, UTC_ZONE) == expected


def test_all_hours_never_began():
    assert active_since(ALWAYS, Story().now, UTC_ZONE) == 0


def test_an_alarm_ends_with_the_hours_of_its_rule():
    limits = rule("waiting", warning=0, active_from=480, active_to=1080)
    story = Story("2026-03-02 17:59:00").tell(limits, "1 waits in 999, +30s")
    assert standing(story) == "999 1"

    assert said(story.tell("+30s")) == "raised 1, cleared 1"


def test_a_quiet_night_is_no_silence_in_the_morning():
    limits = rule("no_webhook", warning=600, active_from=480, active_to=1080)
    story = Story("2026-03-02 03:00:00").tell(limits, "101 on, +5h, +10m")
    assert standing(story) == ""

    assert standing(story.tell("+5s")) == "floor 1"
    assert standing(story.tell("101 pause, +5s")) == ""


def test_hours_are_those_of_the_call_centre():
    limits = rule("waiting", warning=0, active_from=480, active_to=540)
    story = Story("2026-03-02 08:10:00", zone="Asia/Ho_Chi_Minh").tell(limits, "1 waits in 9, +5s")

    assert standing(story) == "9 1"


# Rules change


def test_a_removed_rule_takes_its_alarms_with_it():
    story = after(WAIT, "1 waits in 999, +65s", AlarmRuleRemoved(rule="r"), "+5m")

    assert (standing(story), said(story)) == ("", "raised 1, cleared 1")


def test_a_rule_that_is_turned_off_lets_go():
    story = after(WAIT, "1 waits in 999, +65s", replace(WAIT, enabled=False), "+5s")

    assert said(story) == "raised 1, cleared 1"


def test_other_limits_hold_from_the_next_tick():
    story = after(WAIT, "1 waits in 999, +65s", replace(WAIT, warning=90), "+5s")
    assert said(story) == "raised 1, cleared 1"

    assert standing(story.tell("+25s")) == "999 1"


def test_another_metric_begins_anew():
    story = after(WAIT, "1 waits in 999, +65s", rule("waiting", warning=0), "+5s")

    assert said(story) == "raised 1, cleared 1, raised 1"


# Told to others, kept, replayed


def test_what_was_sent_is_in_the_log():
    story = after(WAIT, "1 waits in 999, +65s")
    story.tell(
        AlarmSent(channel="3", entries=(1,)), AlarmSent(channel="4", entries=(1, 9), error="x")
    )

    assert story.state.alarm_log[0].told == {"3": "", "4": "x"}


def test_the_log_keeps_the_newest_lines():
    story = after(rule("waiting", warning=0), "1 waits in 999, +5s")
    for _ in range(LOG_KEPT):
        note(
            Turn(story.state, story.now, Numbers(story.state)),
            story.state.alarms["r/999"],
            "repeated",
        )

    numbers = [line.number for line in story.state.alarm_log]
    assert numbers == list(range(2, LOG_KEPT + 2))


LONG: list[str | Event] = [
    replace(REPEATED, critical=120),
    "101 on, 1 waits in 999, +65s",
    seen(),
    "+60s, 2 rings 101 in 999, +90s, 2 answered 101 in 999, 1 hangs up, +30s",
]


def test_told_again_it_is_the_same():
    assert asdict(after(*LONG).state) == asdict(after(*LONG).state)


def test_a_restart_in_the_middle_changes_nothing():
    plain = after(*LONG)
    broken = Story()
    for part in LONG:
        broken.tell(part).restart()

    assert asdict(broken.state) == asdict(plain.state)
    assert said(plain)


def test_levels_survive_a_snapshot():
    state = restored(after(*LONG[:2]).state)

    assert state.alarms["r/999"].level is Level.WARNING


def test_an_old_snapshot_has_no_alarms():
    body = msgspec.to_builtins(after("101 on").state)
    for name in [name for name in body if name.startswith("alarm")]:
        del body[name]

    assert msgspec.convert(body, type(Story().state)).alarm_rules == {}


def test_only_what_changes_is_drawn_again():
    story = after(WAIT, "1 waits in 999, +65s")
    floor, now = story.floor, story.now
    changes = [floor.apply(story.state.seq + 1, now + 5000 * n, Tick()).alarms for n in (1, 2, 3)]

    assert changes == [False, False, False]


def test_the_defaults_are_rules_with_known_metrics():
    assert {each.metric for each in DEFAULTS} <= set(METRICS)
    assert len({each.rule for each in DEFAULTS}) == len(DEFAULTS)
    on = {each.metric for each in DEFAULTS if each.enabled}
    assert {"no_webhook", "longest_wait", "pause_overrun"} <= on
