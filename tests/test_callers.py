"""Who gave up and was talked with since: on the list, and in the number still to call back."""

import itertools

import pytest

from app.domain.events import CallBackPlaced
from app.domain.report import floor_report
from tests.story import Story, after

# The story makes a call's number from its id, so the call 8138363739 has the same last nine digits
# as the call 138363739, and is the same caller's.
TRY = "138363739 abandons 999 after 30"
AGAIN = "112345678 abandons 999 after 9"


def open_rows(story: Story) -> list[str]:
    rows = story.floor.abandon_rows()
    return [row.queue for row in rows if not (row.reached or row.called_back)]


def to_call_back(story: Story) -> int:
    return story.floor.totals().to_call_back


def test_who_gave_up_and_was_never_talked_with_is_to_be_called_back() -> None:
    story = after(TRY, "+10s")

    assert (open_rows(story), to_call_back(story)) == (["999"], 1)


def test_who_overflowed_and_was_answered_there_need_not_be_called_back() -> None:
    story = after("138363739 rings 101 in 999, +30s", TRY, "138363739 rings 201 in 888, +5s")
    waiting = to_call_back(story)
    story.tell("138363739 answered 201 in 888")

    assert waiting == 1
    assert (open_rows(story), to_call_back(story)) == ([], 0)


@pytest.mark.parametrize(
    "reports", list(itertools.permutations(["138363739 answered 201 in 888", TRY])), ids=str
)
def test_an_abandon_that_is_told_late_knows_of_the_answer(reports: tuple[str, ...]) -> None:
    story = after("138363739 rings 101 in 999, +30s, 138363739 rings 201 in 888, +5s")
    for report in reports:
        story.tell(report, "+2s")

    assert (open_rows(story), to_call_back(story)) == ([], 0)


def test_an_abandon_told_after_a_restart_knows_of_another_call_answered_before_it() -> None:
    story = after("138363739 rings 101 in 999, +30s, 8138363739 answered 201 in 888, +5s")
    story.restart()
    story.tell(TRY)

    assert (open_rows(story), to_call_back(story)) == ([], 0)


def test_who_talked_first_and_gave_up_afterwards_is_to_be_called_back() -> None:
    story = after(
        "138363739 answered 101 in 999, +60s, 138363739 rings 201 in 888, +40s",
        "138363739 abandons 888 after 40",
    )

    assert (open_rows(story), to_call_back(story)) == (["888"], 1)


def test_an_agent_who_dials_by_hand_and_reaches_the_caller_settles_it() -> None:
    story = after(TRY, "+60s")
    story.tell("101 dials 8138363739, 101 reaches 8138363739")

    assert to_call_back(story) == 0


def test_an_agent_who_dials_and_reaches_nobody_settles_nothing() -> None:
    story = after(TRY, "+60s, 101 dials 8138363739, +20s, 8138363739 hangs up")

    assert to_call_back(story) == 1


def test_a_record_alone_tells_that_the_caller_was_reached() -> None:
    story = after(TRY, "+60s, 8138363739 record ANSWER 101 30/20 outbound")

    assert to_call_back(story) == 0


def test_another_caller_who_is_reached_settles_nothing() -> None:
    story = after(TRY, "+60s, 101 dials 177777777, 101 reaches 177777777")

    assert to_call_back(story) == 1


def test_calling_back_settles_all_tries_of_that_caller_and_of_no_other() -> None:
    story = after(TRY, "+60s, 8138363739 abandons 999 after 9, +5s", AGAIN)
    story.tell(CallBackPlaced(callid="138363739", by="mai"))

    assert (open_rows(story), to_call_back(story)) == (["999"], 1)


def test_the_report_tells_who_was_reached() -> None:
    story = after(TRY, "+60s, 101 dials 8138363739, 101 reaches 8138363739")

    assert [row["reached"] for row in floor_report(story.state, story.now)["abandons"]] == [True]


def test_a_restart_remembers_who_was_reached() -> None:
    story = after(TRY, "+60s, 101 dials 8138363739, 101 reaches 8138363739").restart()

    assert to_call_back(story) == 0
