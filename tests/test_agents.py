"""Agents: the mode, what the phone says and the legs; a story in words, and what is shown then."""

import pytest

from app.domain.events import ListenEnded, ListenStarted, PauseNoted, PauseWanted
from tests.story import after, lies

STATUSES = {
    "a phone's own words": ("101 on, 102 pause, 103 off", "101 on, 102 pause, 103 off"),
    "a ring with no call we know is another call": (
        "101 on, 101 ring",
        "101 ring, 101 other call, 101 sure",
    ),
    "talk with no call we know is another call": (
        "101 on, 101 talk, +2m",
        "101 talk for 120s, 101 other call, 101 sure",
    ),
    "another call ends with the phone's word": ("101 on, 101 talk, 101 on", "101 on"),
    "a known call is no other call": (
        "101 on, 101 ring, 1 rings 101 in 999",
        "101 ring, 101 no other call, 101 in 1",
    ),
    "who is rung by a queue is logged in": ("1 rings 101 in 999, 1 hangs up", "101 on"),
    "who is rung directly need not be": ("1 rings 101, 1 hangs up", "101 off"),
    "a status told twice goes on": ("101 on, +9s, 101 on, +1s", "101 on for 10s, 101 was off 0s"),
    "a queue that rings an agent is the agent's": (
        "1 rings 101 in 999, 2 rings 101 in 888",
        "101 serves 888/999",
    ),
    "the PBX knows the queues better": (
        "1 rings 101 in 999, 101 verified on in 888/777",
        "101 serves 777/888",
    ),
    "and may name those we know": (
        "1 rings 101 in 999, 1 hangs up, 101 verified on in 999",
        "101 serves 999, 101 on",
    ),
    "and may say that there are none": (
        "1 rings 101 in 999, 101 verified in none",
        "101 serves no queue",
    ),
}
LEGS = {
    "two queues ring one agent": (
        "1 rings 101 in 999, 2 rings 101 in 888",
        "101 ring, 101 in 1/2, 999 waiting 1, 888 waiting 1",
    ),
    "one call's end leaves the other ringing": (
        "1 rings 101 in 999, 2 rings 101 in 888, 1 hangs up",
        "101 ring, 101 in 2",
    ),
    "talk comes before ring": (
        "1 rings 101 in 999, 2 rings 101 in 888, 2 answered 101 in 888",
        "101 talk, 101 in 2/1, call 1 ringing 101",
    ),
    "talk, ring and talk with no word of ready between": (
        "101 on, 1 rings 101 in 999, 101 ring, 1 answered 101 in 999, 101 talk, +9s,"
        "2 rings 101 in 999, 101 ring, +3s, 1 hangs up, 2 answered 101 in 999, 101 talk, +4s",
        "101 talk for 4s, 101 in 2, 101 answered 2, 101 sure",
    ),
    "one call's end does not free an agent who talks in another": (
        "1 answered 101 in 999, 2 answered 101 in 888, 1 hangs up, +9s",
        "101 talk, 101 in 2, 888 talking 1, 999 talking 0",
    ),
    "the phone still says ring when only its call is over": (
        "101 on, 101 ring, 1 rings 101 in 999, 1 hangs up",
        "101 on, 101 no other call",
    ),
    "the phone still says talk when only its call is over": (
        "101 on, 1 rings 101 in 999, 101 talk, 1 answered 101 in 999, 1 hangs up",
        "101 on, 101 no other call",
    ),
    "a talk from long before the ring has another cause": (
        "101 on, 101 talk, +60s, 1 rings 101 in 999, 1 hangs up",
        "101 talk, 101 other call",
    ),
    "a ring that outlives one of two calls": (
        "101 on, 101 ring, 1 rings 101 in 999, 2 rings 101 in 888, 1 hangs up, 2 missed 101 in 888",
        "101 on, 101 in no call",
    ),
    "the agent dials while a queue rings the phone": (
        "101 on, 101 talk, 101 dials 2, 1 rings 101 in 999, +8s, 1 missed 101 in 999",
        "101 talk, 101 in 2, 101 missed 1, 101 outbound 1",
    ),
    "the phone rang, and is ready without a word of the call": (
        "101 on, 101 ring, 1 rings 101 in 999, +8s, 101 on, +8s, 101 ring, 1 rings 101 in 999",
        "101 ring, 999 waiting 1, 101 missed 0",
    ),
}
MODES = {
    "paused in the middle of a call: talk with a mark": (
        "101 on, 1 answered 101 in 999, 101 talk, +4s, 101 pause, +3s",
        "101 talk, 101 paused, 101 sure",
    ),
    "and pause when it ends": (
        "101 on, 1 answered 101 in 999, 101 talk, 101 pause, +3s, 1 hangs up",
        "101 pause, 101 paused",
    ),
    "a paused agent answers": (
        "101 pause, 1 rings 101 in 999, 1 answered 101 in 999",
        "101 talk, 101 paused, 101 answered 1",
    ),
    "a paused agent talks by hand": ("101 pause, 101 talk", "101 talk, 101 paused, 101 other call"),
    "a log-off leaves the call up": (
        "101 on, 1 answered 101 in 999, +4s, 101 off, +3s",
        "101 talk, call 1 answered, 999 talking 1",
    ),
    "and off when it ends": (
        "101 on, 1 answered 101 in 999, +4s, 101 off, +3s, 1 hangs up",
        "101 off, 101 answered 1",
    ),
    "the PBX says paused of a ready phone": ("101 on, 101 verified on paused", "101 pause"),
    "the PBX says paused of a talking phone": (
        "101 on, 1 answered 101 in 999, 101 verified talk paused",
        "101 talk, 101 paused",
    ),
    "the PBX says no longer paused": ("101 pause, 101 verified unpaused", "101 on"),
    "not paused says nothing of one who is off": ("101 off, 101 verified unpaused", "101 off"),
    "a phone that is off is not ready, whatever the queue says": (
        "101 pause, 101 verified off unpaused",
        "101 off",
    ),
    "a phone that is paused is, whatever the queue says": (
        "101 on, 101 verified pause unpaused",
        "101 pause",
    ),
}
SPENT = {
    "time goes where it was spent": (
        "101 on, +10s, 101 ring, 1 rings 101 in 999, +5s, 1 answered 101 in 999, 101 talk, +20s,"
        "1 hangs up, 101 pause, +30s, 101 on",
        "101 was on 10s, 101 was ring 5s, 101 was talk 20s, 101 was pause 30s",
    ),
    "pause in the middle of a call is talk": (
        "101 on, 1 answered 101 in 999, +10s, 101 pause, +2s, 1 hangs up, +5s, 101 on",
        "101 was talk 12s, 101 was pause 5s",
    ),
}
TABLES = (STATUSES, LEGS, MODES, SPENT)
ROWS = {name: row for table in TABLES for name, row in table.items()}


@pytest.mark.parametrize(("story", "truth"), ROWS.values(), ids=ROWS)
def test_agent(story: str, truth: str) -> None:
    assert lies(after(story), truth) == []


LUNCH = PauseNoted(extension="101", reason="lunch", by="mai")
LATER = PauseWanted(extension="101", reason="lunch", by="mai")
LISTENS = ListenStarted(supervisor="mai", extension="101", callid="1", mode="listen")


def test_a_pause_has_a_reason_until_it_ends() -> None:
    story = after("101 pause", LUNCH)
    assert lies(story, "101 because lunch") == []
    assert lies(story.tell("101 on"), "101 because unsaid") == []


def test_a_reason_survives_a_call_that_is_answered_while_paused() -> None:
    story = after("101 pause", LUNCH, "1 answered 101 in 999, 1 hangs up")

    assert lies(story, "101 pause, 101 because lunch") == []


def test_a_reason_given_during_a_call_waits_for_its_end() -> None:
    story = after("101 on, 1 answered 101 in 999", LATER, "101 pause, 1 hangs up")

    assert lies(story, "101 pause, 101 because lunch") == []
    assert story.state.agents["101"].pause_wanted


def test_a_pause_is_no_longer_wanted() -> None:
    story = after("101 on", LATER, PauseWanted(extension="101", wanted=False))

    assert not story.state.agents["101"].pause_wanted


def test_a_reason_can_be_cleared() -> None:
    story = after("101 pause", LUNCH, PauseNoted(extension="101"))

    assert lies(story, "101 pause, 101 because unsaid") == []


def test_a_supervisor_listens_until_the_call_ends() -> None:
    story = after("1 answered 101 in 999", LISTENS)
    assert lies(story, "101 heard by mai") == []
    assert lies(story.tell("1 hangs up"), "101 heard by nobody") == []


def test_a_supervisor_of_another_call_still_listens() -> None:
    story = after("1 answered 101 in 999, 2 rings 101 in 888", LISTENS, "2 hangs up")

    assert lies(story, "101 heard by mai") == []


def test_listening_ends_when_the_supervisor_hangs_up() -> None:
    others = ListenStarted(supervisor="an", extension="101", callid="1", mode="barge")
    story = after("1 answered 101 in 999", LISTENS, others)
    story.tell(ListenEnded(supervisor="mai", extension="101"))

    assert lies(story, "101 heard by an") == []


def test_a_supervisor_who_changes_the_mode_is_still_one() -> None:
    barges = ListenStarted(supervisor="mai", extension="101", callid="1", mode="barge")
    story = after("1 answered 101 in 999", LISTENS, barges)

    card = story.floor.agent_card("101")
    assert card is not None
    assert card.listeners == (("mai", "barge", story.now),)


def test_nobody_listens_for_more_than_half_an_hour() -> None:
    story = after("1 answered 101 in 999, 101 talk", LISTENS, "+29m")
    assert lies(story, "101 heard by mai") == []
    assert lies(story.tell("+1m"), "101 heard by nobody, 101 talk") == []
