"""When words contradict: in doubt and shown so, settled by the PBX's answer or by time."""

import pytest

from app.domain.events import PbxAsked
from tests.story import Story, after, event_of, lies

TALKS = "101 on, 1 rings 101 in 999, 101 ring, 1 answered 101 in 999, 101 talk, +20s"
DOUBT = {
    "a phone that is ready while its call goes on": (
        f"{TALKS}, 101 on, +10s",
        "101 in doubt, 101 talk, call 1 in doubt, call 1 answered, all talking 1",
    ),
    "not before the grace is over": (f"{TALKS}, 101 on, +4s, tick", "101 sure, call 1 sure"),
    "the grace itself is doubt": (f"{TALKS}, 101 on, +5s", "101 in doubt"),
    "the hangup settles it": (
        f"{TALKS}, 101 on, +10s, 1 hangs up",
        "101 on, 101 sure, call 1 sure",
    ),
    "a phone that talks again settles it": (
        f"{TALKS}, 101 on, +10s, 101 talk, +2m",
        "101 talk, 101 sure, call 1 sure, call 1 answered",
    ),
    "a phone that is off": (f"{TALKS}, 101 off, +10s", "101 in doubt, call 1 in doubt"),
    "a phone that is paused": (f"{TALKS}, 101 pause, +10s", "101 in doubt, 101 paused"),
    "an attended transfer has no webhook": (
        f"{TALKS}, 101 on, 102 on, 102 talk, +10s",
        "101 in doubt, 102 talk, 102 other call, call 1 answered",
    ),
    "only the call that talks is doubted": (
        f"{TALKS}, 2 rings 101 in 888, 101 on, +10s",
        "101 in doubt, call 1 in doubt, call 2 sure",
    ),
    "one of two calls ends and the other is still in doubt": (
        "101 on, 1 answered 101 in 999, 2 answered 101 in 888, +20s, 101 on, +10s, 1 hangs up",
        "101 in doubt, 101 talk, call 1 sure, call 2 in doubt",
    ),
    "another agent's answer ends the doubt of the first": (
        f"{TALKS}, 101 on, +10s, 1 rings 102, 1 answered 102",
        "101 on, 101 sure, 102 talk, call 1 sure",
    ),
}
ASKED = {
    "the PBX says that the phone is ready: the call is lost": (
        f"{TALKS}, 101 on, +10s, 101 verified on",
        "101 on, 101 sure, call 1 ended, call 1 lost, 999 answered 1, 999 talking 0",
    ),
    "a lost call has no talk that anybody knows": (
        f"{TALKS}, 101 on, +10s, 101 verified on, +2m",
        "999 answered 1, 999 abandoned 0, 999 aht –, 101 talked 0s",
    ),
    "its record still says how long": (
        f"{TALKS}, 101 on, +10s, 101 verified on, 1 record ANSWER 101 22/22",
        "999 answered 1, 999 aht 22s, 101 talked 22s, call 1 ended",
    ),
    "the PBX says that it talks: all is well": (
        f"{TALKS}, 101 on, +10s, 101 verified talk, +2m",
        "101 talk, 101 sure, call 1 answered, call 1 sure",
    ),
    "a call younger than the grace is newer than the answer": (
        "101 on, 1 answered 101 in 999, +4s, 101 verified on, +10s",
        "101 talk, call 1 answered, 101 sure",
    ),
    "a ring that the PBX knows nothing of is over": (
        "101 on, 1 rings 101 in 999, 1 rings 102 in 999, +10s, 101 verified on",
        "101 on, 102 ring, 999 waiting 1, call 1 ringing 102",
    ),
    "another call that the PBX knows nothing of is over": (
        "101 on, 101 talk, +60s, 101 verified on",
        "101 on, 101 no other call",
    ),
    "an answer about the pause alone leaves the call": (
        f"{TALKS}, 101 on, +10s, 101 verified unpaused",
        "101 talk, 101 in doubt, call 1 answered",
    ),
    "an unheard answer is put right": (
        "101 on, 1 rings 101 in 999, 101 ring, +4s, 101 talk, +20s, 101 verified talk",
        "101 talk, 101 no other call, 999 answered 1, 999 asa 4s, 999 waiting 0, 101 answered 1",
    ),
    "until an abandon is told, which is the PBX's own word": (
        "101 on, 1 rings 101 in 999, 101 ring, +4s, 101 talk, +20s, 101 verified talk,"
        "1 abandons 999 after 4, 1 hangs up",
        "999 answered 0, 999 abandoned 1, 101 answered 0, 101 talked 0s",
    ),
    "unless the phone talked before it rang": (
        "101 on, 101 talk, +20s, 1 rings 101 in 999, +20s, 101 verified talk",
        "101 talk, 999 answered 0, 999 waiting 1",
    ),
    "unless the ring is too young to tell": (
        "101 on, 1 rings 101 in 999, +4s, 101 verified talk",
        "999 answered 0, 999 waiting 1",
    ),
    "unless two calls ring": (
        "101 on, 1 rings 101 in 999, 2 rings 101 in 888, +20s, 101 verified talk",
        "999 answered 0, 888 answered 0, 999 waiting 1, 888 waiting 1",
    ),
    "an unheard answer of an outbound call is put right": (
        "101 on, 101 dials 2, +20s, 101 verified talk",
        "101 talk, call 2 answered, call 2 talking 101, 101 outbound 1",
    ),
}
UNASKED = {
    "nobody asks the PBX for a minute: the phone's word wins": (
        f"{TALKS}, 101 on, +65s",
        "101 on, 101 sure, call 1 lost, 999 answered 1, 999 talking 0, 999 aht –",
    ),
    "but not before": (f"{TALKS}, 101 on, +60s", "101 talk, 101 in doubt, call 1 not lost"),
    "a logged-off agent's call is lost likewise": (
        f"{TALKS}, 101 off, +65s",
        "101 off, call 1 lost",
    ),
    "a later webhook brings a lost call back": (
        f"{TALKS}, 101 on, +70s, 1 answered 102 in 999",
        "call 1 answered, call 1 not lost, 102 talk, 101 on, 999 answered 1",
    ),
    "a later hangup of a lost call adds nothing": (
        f"{TALKS}, 101 on, +70s, 1 hangs up, +2m",
        "call 1 ended, call 1 lost, 999 answered 1, 999 otherwise 0",
    ),
    "a lost caller who is rung again has waited since first sight": (
        "1 waits in 999, +4h, +3m, 1 rings 101 in 999, +7s, 1 answered 101 in 999",
        "999 offered 1, 999 answered 1, 999 asa 14587s, call 1 not lost",
    ),
    "a ring unheard of for five minutes is doubted": (
        "101 on, 1 rings 101 in 999, +5m",
        "101 in doubt, call 1 in doubt, 999 waiting 1",
    ),
    "but nobody who let it ring out before": (
        "101 on, 1 rings 101 in 999, 1 missed 101 in 999, 1 rings 102 in 999, +5m",
        "101 sure, 102 in doubt, call 1 in doubt",
    ),
    "not sooner": ("101 on, 1 rings 101 in 999, +4m", "101 sure, call 1 sure"),
    "and lost a minute later, as neither answered nor abandoned": (
        "101 on, 1 rings 101 in 999, +6m, +65s",
        "101 on, 101 sure, call 1 lost, 999 otherwise 1, 999 abandoned 0, 999 waiting 0",
    ),
    "a webhook about it is word of it": (
        "101 on, 1 rings 101 in 999, +4m, 1 rings 102 in 999, +4m",
        "101 sure, call 1 sure, 999 waiting 1",
    ),
    "even when it is in doubt already": (
        "101 on, 1 rings 101 in 999, +5m, 1 rings 101 in 999, +10s",
        "101 sure, call 1 sure, 101 ring",
    ),
    "and so is the answer": (
        "101 on, 1 rings 101 in 999, +5m, 1 answered 101 in 999, +10s",
        "101 sure, call 1 sure, 101 talk",
    ),
    "a caller who waits and is rung at last is not in doubt": (
        "1 waits in 999, +30m, 1 rings 101 in 999, +10s",
        "call 1 sure, 101 ring, 101 sure",
    ),
    "the PBX knows of the ring that is doubted": (
        "101 on, 1 rings 101 in 999, +5m, 101 verified ring, +10s",
        "101 sure, call 1 sure, 101 ring",
    ),
    "the PBX knows of the talk that is doubted": (
        f"{TALKS}, +4h, 101 verified talk, +10s",
        "101 sure, call 1 sure, 101 talk",
    ),
    "a caller whom nobody rings is doubted after half an hour": (
        "1 waits in 999, +30m",
        "call 1 in doubt, 999 waiting 1, call 1 not lost",
    ),
    "an agent said to be free long ago proves nothing": (
        "101 on, 101 verified in 999, 1 waits in 999, +10m",
        "call 1 sure, 999 waiting 1, call 1 not lost",
    ),
    "and still waits": ("1 waits in 999, +2h", "call 1 in doubt, 999 waiting 1"),
    "but not for ever": ("1 waits in 999, +4h, +2m", "call 1 lost, 999 waiting 0, 999 otherwise 1"),
    "a talk unheard of for four hours is doubted": (
        f"{TALKS}, +4h",
        "101 in doubt, call 1 in doubt, call 1 answered",
    ),
    "and lost a minute later": (
        f"{TALKS}, +4h, +1m",
        "101 on, call 1 lost, 999 answered 1, 999 talking 0, 101 no other call",
    ),
    "an outbound ring likewise": (
        "101 on, 101 dials 2, +7m",
        "101 on, 101 sure, call 2 lost",
    ),
    "a ring with no call is over after five minutes": (
        "101 on, 101 ring, +5m",
        "101 on, 101 sure",
    ),
    "an agent unheard of for half a day is doubted": ("101 on, +12h", "101 on, 101 in doubt"),
    "an agent who is off is not": ("101 off, +13h", "101 off, 101 sure"),
    "the first word settles it": ("101 on, +12h, 101 on", "101 on, 101 sure"),
    "the PBX's answer too": ("101 on, +12h, 101 verified on, +1m", "101 on, 101 sure"),
}
TABLES = (DOUBT, ASKED, UNASKED)
ROWS = {name: row for table in TABLES for name, row in table.items()}


@pytest.mark.parametrize(("story", "truth"), ROWS.values(), ids=ROWS)
def test_doubt(story: str, truth: str) -> None:
    assert lies(after(story), truth) == []


ASKED_ALL = PbxAsked(phones=1)


def test_a_caller_passed_over_by_a_free_agent_is_gone() -> None:
    story = after("101 on, 101 verified in 999, 1 waits in 999, +30s", ASKED_ALL)
    assert lies(story.tell("+29s"), "call 1 sure, 999 waiting 1") == []
    assert lies(story.tell("+31s"), "call 1 in doubt, 999 waiting 1") == []
    assert lies(story.tell("+61s"), "call 1 lost, 999 waiting 0") == []


def test_a_caller_is_not_passed_over_by_agents_of_other_queues() -> None:
    story = after("101 on, 101 verified in 888, 1 waits in 999, +30s", ASKED_ALL, "+5m")

    assert lies(story, "call 1 sure, 999 waiting 1") == []


def test_a_caller_is_not_passed_over_by_who_has_just_become_free() -> None:
    story = after("101 pause, 101 verified in 999, 1 waits in 999, +3m, 101 on", ASKED_ALL, "+50s")

    assert lies(story, "call 1 sure, 999 waiting 1") == []


def test_a_pbx_that_did_not_answer_agreed_to_nothing() -> None:
    failed = PbxAsked(error="The PBX can't be reached.")
    story = after("101 on, 101 verified in 999, 1 waits in 999, +30s", failed, "+5m")

    assert lies(story, "call 1 sure, 999 waiting 1") == []
    assert story.state.reconciled.error == "The PBX can't be reached."


def test_every_difference_between_floor_and_pbx_is_kept() -> None:
    story = after("101 on, 102 on, +10s, 101 verified pause, 102 verified on")

    repairs = [(one.extension, one.before, one.after) for one in story.state.repairs]
    assert repairs == [("101", "on", "pause")]
    assert story.state.reconciled.repairs_today == 1


def test_only_so_many_differences_are_kept() -> None:
    story = after("101 on" + ", 101 verified pause, 101 verified on" * 300)

    assert len(story.state.repairs) == 500
    assert story.state.reconciled.repairs_today == 600


def test_a_pause_in_a_call_is_a_difference_of_its_own() -> None:
    story = after("1 answered 101 in 999, +10s, 101 verified talk paused")

    assert [(one.before, one.after) for one in story.state.repairs] == [("talk", "talk, paused")]


def test_the_end_of_a_doubt_is_drawn_at_once():
    story = after(f"{TALKS}, 101 on, +10s")
    talks = event_of("101 talk", story.now)
    changes = story.floor.apply(story.state.seq + 1, story.now, talks)

    assert changes.totals
    assert changes.waiting
    assert "1" in changes.calls


def test_a_lost_call_that_is_told_of_the_other_way_round_waits_and_counts_no_more() -> None:
    story = Story().tell("1 rings 103 in 999, +8m")
    assert lies(story, "999 waiting 0, 999 offered 1") == []

    assert lies(story.tell("103 reaches 1"), "999 waiting 1, 999 offered 0") == []
