"""What a record says of wait and talk, and when it is believed rather than what was seen."""

from tests.story import Story, after, lies


def call(number: int, waited_s: int, talked_s: int, record: str) -> str:
    """One answered call and its record."""
    return (
        f"{number} rings 101 in 999, +{waited_s}s, {number} answered 101 in 999, +{talked_s}s,"
        f"{number} hangs up, {number} record ANSWER 101 {record} inbound"
    )


# Waits longer than any delay tell: 30 s of wait, 20 of talk.
TALK_ALONE = call(1, 30, 20, "50/20")
WHOLE_CALL = call(1, 30, 20, "50/50")


def test_nothing_is_known_of_a_pbx_at_first() -> None:
    story = after("1 rings 101 in 999, +2s, 1 answered 101 in 999")

    assert not story.state.billing.exact


def test_a_pbx_that_bills_the_talk_alone_is_believed_to_the_second() -> None:
    story = after(TALK_ALONE, call(2, 8, 12, "18/9"))

    assert story.state.billing.exact
    assert lies(story, "999 asa 19.5s, 999 aht 14.5s, 101 talked 29s") == []


def test_a_pbx_that_bills_the_wait_too_is_not() -> None:
    story = after(WHOLE_CALL, call(2, 8, 12, "18/18"))

    assert not story.state.billing.exact
    assert lies(story, "999 asa 19s, 999 aht 16s, 101 talked 32s") == []


def test_short_waits_tell_nothing_of_it() -> None:
    story = after(call(1, 10, 12, "22/12"), call(2, 0, 12, "12/12"), call(3, 10, 12, "22/22"))
    assert (story.state.billing.talk_only, story.state.billing.whole_call) == (0, 0)

    story.tell(call(4, 11, 12, "23/12"), call(5, 11, 12, "23/23"))
    assert (story.state.billing.talk_only, story.state.billing.whole_call) == (1, 1)


def test_a_record_may_be_five_seconds_off() -> None:
    story = after(call(1, 30, 20, "50/15"), call(2, 30, 20, "50/45"))

    assert (story.state.billing.talk_only, story.state.billing.whole_call) == (1, 1)


def test_a_record_that_fits_neither_tells_nothing_of_it() -> None:
    story = after(call(1, 60, 12, "72/42"))

    assert (story.state.billing.talk_only, story.state.billing.whole_call) == (0, 0)


def test_a_record_told_twice_teaches_once() -> None:
    story = after(TALK_ALONE, "1 record ANSWER 101 50/20 inbound")

    assert story.state.billing.talk_only == 1


def test_a_claim_that_does_not_fit_what_was_seen_is_not_believed() -> None:
    story = after(TALK_ALONE, call(2, 8, 12, "40/12"))
    assert lies(story, "999 asa 19s, 999 aht 16s") == []

    story = after(TALK_ALONE, call(2, 8, 12, "38/30"))
    assert lies(story, "999 asa 19s, 999 aht 16s") == []


def test_when_the_verdict_changes_every_remembered_call_is_counted_anew() -> None:
    story = after(call(2, 8, 12, "18/9"))
    assert lies(story, "999 asa 8s, 999 aht 12s") == []

    story.tell(TALK_ALONE)
    assert lies(story, "999 asa 19.5s, 999 aht 14.5s") == []


def test_one_contradiction_in_twenty_is_none_too_many_to_doubt_it() -> None:
    story = after(*(call(number, 30, 20, "50/20") for number in range(20)))
    story.tell(call(99, 30, 20, "50/50"))

    assert not story.state.billing.exact


def test_a_record_without_its_spans_claims_nothing() -> None:
    story = after(TALK_ALONE, "2 rings 101 in 999, +8s, 2 answered 101 in 999, +12s, 2 hangs up")
    story.tell("2 record ANSWER 101 inbound")

    assert lies(story, "999 asa 19s, 999 aht 16s") == []


def test_a_record_that_says_less_wait_than_none_says_none() -> None:
    story = after("1 record ANSWER 101 10/12 inbound")

    assert lies(story, "all answered 1, all asa 0s, 101 talked 12s") == []


def test_who_is_charged_when_a_record_comes_for_a_lost_call() -> None:
    story = Story().tell("1 answered 101 in 999, 101 on, +70s, 1 record ANSWER 101 33/33 inbound")

    assert lies(story, "999 answered 1, 999 aht 33s, 101 talked 33s") == []
