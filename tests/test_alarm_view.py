"""The alarms as people see them: which comes first, what it is called, whose it is."""

from app.domain.alarm_acts import event_of
from app.domain.alarm_view import alarm_rows, is_about, queues_of, subject_name
from app.domain.events import AgentNamed, AlarmAcknowledged, AlarmRuleSet, AlarmShelved, QueueNamed
from app.domain.rules import AlarmRule
from tests.story import Story, after

WAITS = AlarmRuleSet(rule="w", metric="longest_wait", warning=60, critical=300)
PAUSES = AlarmRuleSet(rule="p", metric="paused", warning=60)
TEAMS = AlarmRuleSet(rule="t", metric="free_in_team", warning=2)
SILENCE = AlarmRuleSet(rule="s", metric="no_webhook", warning=60)


def keys(story: Story) -> list[str]:
    return [row.key for row in alarm_rows(story.state)]


def three_queues() -> Story:
    """999 waits longest and is critical, 888 came before 777."""
    story = after(WAITS, "1 waits in 999, +240s, 2 waits in 888, +5s, 3 waits in 777, +70s")
    assert keys(story) == ["w/999", "w/888", "w/777"]
    return story


def test_the_worst_comes_first_and_then_what_was_raised_first() -> None:
    assert [row.level for row in alarm_rows(three_queues().state)] == [2, 1, 1]


def test_who_is_attended_to_comes_last_however_bad_it_is() -> None:
    story = three_queues().tell(AlarmAcknowledged(alarm="w/999", by="ann"))
    assert keys(story) == ["w/888", "w/777", "w/999"]

    story.tell(AlarmShelved(alarm="w/888", until=story.now + 600_000, by="bob"))
    assert keys(story) == ["w/777", "w/999", "w/888"]
    rows = {row.key: row for row in alarm_rows(story.state)}
    assert (rows["w/999"].acknowledged_by, rows["w/888"].shelved_by) == ("ann", "bob")
    assert [rows[key].is_quiet for key in ("w/777", "w/999", "w/888")] == [False, True, True]


def test_an_alarm_is_called_what_people_call_its_queue_its_agent_or_its_team() -> None:
    named = (QueueNamed(queue="999", name="Sales"), AgentNamed(extension="101", name="Mai"))
    story = after(*named, "1 waits in 888, 102 on")

    assert subject_name(story.state, "longest_wait", "999") == "Sales"
    assert subject_name(story.state, "longest_wait", "888") == "888"
    assert subject_name(story.state, "longest_wait", "777") == "777"
    assert subject_name(story.state, "paused", "101") == "Mai 101"
    assert subject_name(story.state, "paused", "102") == "102"
    assert subject_name(story.state, "paused", "999") == "999"
    assert subject_name(story.state, "longest_wait", "101") == "101"
    assert subject_name(story.state, "free_in_team", "Blue") == "Blue"
    assert subject_name(story.state, "no_webhook", "") == ""
    assert subject_name(story.state, "of a later version", "999") == "999"


def test_an_alarm_is_about_its_queue_or_those_that_its_agents_serve() -> None:
    story = after(
        AgentNamed(extension="101", team="Blue"), "1 rings 101 in 999, 2 rings 102 in 888"
    )

    assert queues_of(story.state, "longest_wait", "999") == frozenset({"999"})
    assert queues_of(story.state, "paused", "101") == frozenset({"999"})
    assert queues_of(story.state, "paused", "nobody") == frozenset()
    assert queues_of(story.state, "free_in_team", "Blue") == frozenset({"999"})
    assert queues_of(story.state, "no_webhook", "") is None
    assert is_about(story.state, "paused", "101", "Blue")
    assert is_about(story.state, "paused", "101", "999")
    assert is_about(story.state, "paused", "101", "101")
    assert is_about(story.state, "paused", "101", "")
    assert not is_about(story.state, "paused", "101", "888")
    assert not is_about(story.state, "paused", "102", "Blue")


def test_seconds_count_up_on_the_page_and_counts_stand() -> None:
    story = after(PAUSES, TEAMS, SILENCE, AgentNamed(extension="101", team="Blue"))
    story.tell("101 pause, +70s")
    rows = {row.key: row for row in alarm_rows(story.state)}

    assert rows["p/101"].since == story.state.agents["101"].since
    assert (rows["t/Blue"].since, rows["t/Blue"].value) == (None, 0)
    assert rows["s/"].since == story.state.webhooks.last_at


def test_a_rule_comes_out_of_its_event_as_it_went_in() -> None:
    rule = AlarmRule("r", "waiting", "999", 3, 6, 1, 5, 10, 60, 2, 480, 1080, (1, 2), enabled=False)
    event = event_of(rule, "ann")

    assert event.by == "ann"
    assert after(event).state.alarm_rules == {"r": rule}
