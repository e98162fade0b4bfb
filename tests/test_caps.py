"""A floor grows only so far by what webhooks say; what is over the cap is counted, nothing else."""

from dataclasses import replace

import pytest

from app.domain.caps import Caps
from app.domain.events import AgentNamed, QueueNamed
from app.domain.floor import Floor
from tests.story import Story, restored

SMALL = Caps(agents=2, queues=2, calls=3, remembered=5, tombstones=4, reports=6)


def small(*parts: str | AgentNamed | QueueNamed) -> Story:
    story = Story()
    story.floor = Floor(story.floor.days, caps=SMALL)
    return story.tell(*parts)


def restarted(story: Story) -> Story:
    story.floor = Floor(story.floor.days, restored(story.state), SMALL)
    return story


def test_an_agent_too_many_is_counted_and_not_shown():
    story = small("101 on, 102 on, 103 on, 103 talk")

    assert sorted(story.state.agents) == ["101", "102"]
    assert story.state.overflow == {"agents": 2}
    assert story.state.webhooks.accepted == 4


def test_who_is_on_the_board_goes_on_changing_above_the_cap():
    story = small("101 on, 102 on, 103 on, 101 talk, 1 rings 102 in 999")

    assert story.state.agents["101"].status == "talk"
    assert story.state.agents["102"].status == "ring"


def test_an_agent_who_was_named_counts_against_no_cap():
    story = small("101 on, 102 on", AgentNamed(extension="103", name="Cam"), "103 talk, 104 on")

    assert story.state.agents["103"].status == "talk"
    assert "104" not in story.state.agents


def test_naming_those_on_the_board_makes_room():
    named = AgentNamed(extension="101")
    story = small("101 on, 102 on", named, "103 on")

    assert sorted(story.state.agents) == ["101", "102", "103"]
    assert story.state.overflow == {}


def test_agents_and_queues_that_the_pbx_told_of_when_asked_are_real():
    story = small("101 on, 102 on, 103 verified on in 1/2/3, 104 verified on, 9 rings 103 in 3")

    assert sorted(story.state.agents) == ["101", "102", "103", "104"]
    assert sorted(story.state.queues) == ["1", "2", "3"]
    assert story.state.overflow == {}


def test_a_queue_that_the_pbx_confirms_makes_room_for_another():
    story = small("1 waits in 901, 1 waits in 902, 2 rings 101 in 901, 1 waits in 903")
    assert story.state.overflow == {"queues": 1}
    story.tell("101 verified on in 901, 3 waits in 903")

    assert sorted(story.state.queues) == ["901", "902", "903"]


def test_a_queue_too_many_is_counted_unless_it_was_named():
    story = small("1 waits in 901, 1 waits in 902, 1 waits in 903", QueueNamed(queue="904"))
    story.tell("1 waits in 904")

    assert sorted(story.state.queues) == ["901", "902", "904"]
    assert story.state.overflow == {"queues": 1}


@pytest.mark.parametrize("words", ["4 waits in 999", "4 answered 101 in 999", "101 dials 4"])
def test_a_live_call_too_many_does_not_begin(words: str):
    story = small("101 on, 1 waits in 999, 2 waits in 999, 3 waits in 999", words)

    assert sorted(story.state.calls) == ["1", "2", "3"]
    assert story.state.overflow == {"calls": 1}
    assert story.floor.totals().waiting == 3


def test_a_call_that_ends_makes_room_for_one_that_begins():
    story = small("1 waits in 999, 2 waits in 999, 3 waits in 999, 2 hangs up, 4 waits in 999")

    assert sorted(story.state.calls) == ["1", "2", "3", "4"]
    assert story.state.overflow == {}


def test_what_goes_on_may_end_and_be_recorded_above_the_cap():
    story = small("1 waits in 999, 2 waits in 999, 3 waits in 999, 1 answered 101 in 999")
    story.tell("1 hangs up, 1 record ANSWER 101 9/7 inbound")

    assert story.state.calls["1"].records[0].billsec == 7
    assert story.state.overflow == {}


def test_a_flood_of_ends_of_calls_that_nobody_saw_is_remembered_so_far_only():
    story = small(*(f"{number} hangs up" for number in range(9)))

    assert len(story.state.calls) == SMALL.remembered
    assert story.state.overflow == {"calls": 4}


def test_the_oldest_calls_that_are_over_go_before_there_is_no_room():
    caps = Caps(remembered=20)
    story = Story()
    story.floor = Floor(story.floor.days, caps=caps)
    story.tell(*(f"{number} hangs up" for number in range(20)), "~61s, tick, tick")
    assert sorted(story.state.calls, key=int) == [str(number) for number in range(2, 20)]
    assert list(story.state.tombstones) == ["0", "1"]

    story.tell("20 waits in 999, 0 waits in 999, tick")
    assert story.state.overflow == {}
    assert [row.callid for row in story.floor.waiting_rows()] == ["20"]


def test_a_flood_of_reports_of_one_call_is_kept_so_far_only_and_the_call_can_end():
    records = (f"1 record BUSY 101 {number}/0 inbound" for number in range(9))
    story = small("1 waits in 999", *records)
    assert len(story.state.calls["1"].records) == SMALL.reports - 1
    assert story.state.overflow == {"reports of one call": 4}

    again = small("1 rings 101 in 999", *["+11s, 1 answered 101, +11s, 1 rings 101 in 999"] * 9)
    assert again.tell("1 hangs up").state.calls["1"].ended_at == again.now


def test_what_did_not_fit_is_forgotten_with_the_day():
    story = small("101 on, 102 on, 103 on, ~24h, tick")

    assert story.state.overflow == {}


def test_a_restart_changes_nothing_of_what_fits():
    told = "101 on, 102 on, 1 waits in 999, 2 waits in 999, 2 hangs up, 3 waits in 999"
    then = "103 on, 4 waits in 999, 5 waits in 999, 1 hangs up, 6 waits in 999"
    through, anew = small(told, then), restarted(small(told)).tell(then)

    assert through.state == anew.state
    assert through.state.overflow == {"agents": 1, "calls": 1}


def test_a_larger_site_may_have_more_of_what_grows_with_agents():
    usual, large = Caps(), Caps.for_agents(10_000)

    assert (usual.agents, usual.queues, usual.calls, usual.tombstones) == (2000, 500, 5000, 50_000)
    assert Caps.for_agents(2000) == usual
    assert (large.agents, large.calls, large.tombstones) == (10_000, 25_000, 250_000)
    assert large.remembered == 250_000
    assert Caps.for_agents(10) == replace(usual, agents=10)


def test_a_call_rings_so_many_phones_only_and_those_go_on():
    story = small("1 rings 101 in 999")
    story.floor = Floor(story.floor.days, story.state, replace(SMALL, agents=9, legs=3))
    story.tell("1 rings 102 in 999, 1 rings 103 in 999, 1 rings 104 in 999, 1 rings 102 in 999")
    story.tell("1 answered 103 in 999")

    assert sorted(story.state.calls["1"].legs) == ["101", "102", "103"]
    assert story.state.overflow == {"reports of one call": 1}
    assert story.state.agents["103"].status == "talk"
