"""A caller's stays in queues, the unit of all queue figures: a story in words, and what counts."""

import pytest

from tests.story import after, lies

VISITS = {
    "whoever hangs up unanswered has abandoned, a minute later": (
        "1 rings 101 in 999, +8s, 1 hangs up, +55s, +10s",
        "999 abandoned 1, 1 gave up 999 after 8s as seen, 999 offered 1",
    ),
    "before that minute is up nothing is concluded": (
        "1 rings 101 in 999, +8s, 1 hangs up, +50s",
        "999 offered 0, 0 gave up",
    ),
    "the record of an abandon corrects what was concluded": (
        "1 rings 101 in 999, +8s, 1 hangs up, +70s, 1 abandons 999 after 12",
        "999 abandoned 1, 1 gave up 999 after 12s exactly, 1 gave up, 999 max_wait 12s",
    ),
    "a late answer corrects what was concluded": (
        "1 rings 101 in 999, +8s, 1 hangs up, +70s, 1 answered 101 in 999",
        "999 answered 1, 999 abandoned 0, 0 gave up, 101 answered 1",
    ),
    "even when it does not name the queue": (
        "1 rings 101 in 999, +8s, 1 hangs up, +70s, 1 answered 101",
        "999 answered 1, 999 abandoned 0, 0 gave up, 101 answered 1",
    ),
    "a late record of an answer corrects what was concluded": (
        "1 rings 101 in 999, +30s, 1 hangs up, +70s, 1 record ANSWER 101 30/18",
        "999 answered 1, 999 abandoned 0, 0 gave up, 999 asa 12s, 999 aht 18s, 101 talked 18s",
    ),
    "an abandon never seen before counts": (
        "1 abandons 999 after 6",
        "999 abandoned 1, 999 offered 1, 1 gave up 999 after 6s exactly, 999 waiting 0",
    ),
    "an abandon without a holdtime waited as long as was seen": (
        "1 rings 101 in 999, +7s, 1 abandons 999",
        "1 gave up 999 after 7s as seen, 999 max_wait 7s",
    ),
    "a late abandon without one waited until the hangup": (
        "1 rings 101 in 999, +7s, 1 hangs up, +9s, 1 abandons 999",
        "1 gave up 999 after 7s as seen",
    ),
    "a caller is first seen wherever a phone rings first": (
        "1 rings 101, +5s, 1 rings 102 in 999, +1s",
        "1 waits in 999 for 6s, 101 ring",
    ),
    "an abandon told twice is one": (
        "1 rings 101 in 999, +7s, 1 abandons 999 after 7, 1 abandons 999 after 7, +2m",
        "999 abandoned 1, 1 gave up",
    ),
    "an abandon contradicts no answer": (
        "1 rings 101 in 999, 1 answered 101 in 999, 1 abandons 999 after 7, +4s",
        "999 answered 1, 999 abandoned 0, 101 talk",
    ),
    "after an abandon it overflows to another queue and is answered there": (
        "1 rings 101 in 999, +8s, 1 abandons 999 after 8, 1 rings 201 in 888, +3s,"
        "1 answered 201 in 888, +9s, 1 hangs up",
        "999 abandoned 1, 888 answered 1, 888 asa 3s, 201 answered 1, all offered 2",
    ),
    "a caller rung in the next queue waits there": (
        "1 rings 101 in 999, +20s, 1 rings 201 in 888, +7s",
        "999 waiting 0, 888 waiting 1, 1 waits in 888 for 7s",
    ),
    "the queue it left without a word is otherwise ended": (
        "1 rings 101 in 999, +20s, 1 rings 201 in 888, +7s, 1 answered 201 in 888,1 hangs up, +65s",
        "999 otherwise 1, 888 answered 1, all offered 2",
    ),
    "of two queues it was in, it gave up the last": (
        "1 rings 101 in 999, +20s, 1 rings 201 in 888, +7s, 1 hangs up, +65s",
        "999 otherwise 1, 888 abandoned 1, 1 gave up 888 after 7s as seen, 1 gave up",
    ),
    "it comes back to the queue it abandoned: a second visit": (
        "1 rings 101 in 999, +8s, 1 abandons 999 after 8, +30s, 1 rings 101 in 999, +4s,"
        "1 answered 101 in 999, 1 hangs up",
        "999 abandoned 1, 999 answered 1, 999 offered 2, 999 asa 4s",
    ),
    "it abandons twice after staying twice": (
        "1 rings 101 in 999, +8s, 1 abandons 999 after 8, +30s, 1 rings 101 in 999, +4s,"
        "1 abandons 999 after 4, +2m",
        "999 abandoned 2, call 1 ended",
    ),
    "a late copy of the ring after the abandon is no second visit": (
        "1 rings 101 in 999, +8s, 1 abandons 999 after 8, 1 rings 101 in 999, 1 hangs up, +2m",
        "999 abandoned 1, 999 offered 1, call 1 visited 999 abandoned",
    ),
    "a copy of the abandon speaks of the first stay": (
        "1 rings 101 in 999, +60s, 1 abandons 999 after 60, +2s, 1 rings 101 in 999,"
        "1 abandons 999 after 60, +12s",
        "999 abandoned 1, 999 waiting 1",
    ),
    "of a wait of no length too, with a late ring between": (
        "1 hangs up, +500ms, 1 abandons 999 after 0, +500ms, 1 rings 101 in 999, +900ms,"
        "1 abandons 999 after 0, +2m",
        "999 abandoned 1, 999 offered 1, 1 gave up",
    ),
    "and of a longer one, that would have begun between": (
        "1 rings 101 in 999, +6s, 1 abandons 999 after 6, +2s, 1 rings 101 in 999, +6s,"
        "+500ms, 1 hangs up, +7s, 1 abandons 999 after 6, +2m",
        "999 abandoned 1, 999 offered 1",
    ),
    "a second stay as long as the first, soon after it": (
        "1 rings 101 in 999, +8s, 1 abandons 999 after 8, +1s, 1 rings 101 in 999, +8s,"
        "1 abandons 999 after 8, +2m",
        "999 abandoned 2, 999 offered 2",
    ),
    "a late copy of the ring after the answer changes nothing": (
        "1 rings 101 in 999, +4s, 1 answered 101 in 999, +3s, 1 rings 101 in 999, +20s",
        "101 talk, 999 offered 1, 999 waiting 0, 999 talking 1",
    ),
    "another caller in the other queue after the answer is a return": (
        "1 rings 101 in 999, +4s, 1 answered 101 in 999, +20s, 101 on, 1 rings 201 in 888",
        "101 on, 201 ring, 888 waiting 1, 999 answered 1, 101 talked 20s, 101 sure",
    ),
    "a return soon after the answer is believed when it lasts": (
        "1 rings 101 in 999, +4s, 1 answered 101 in 999, +3s, 1 rings 201 in 888, +15s",
        "101 on, 888 waiting 1, call 1 talking nowhere, 999 answered 1",
    ),
    "it left its last queue and nothing followed: over after a minute": (
        "1 rings 101 in 999, +8s, 1 abandons 999 after 8, +65s",
        "call 1 ended, call 1 not lost, 999 abandoned 1",
    ),
    "a queue told after the record names the stay of which it told": (
        "1 record ANSWER 101 9/7 inbound, 1 rings 101 in 999",
        "999 answered 1, 999 offered 1, all offered 1",
    ),
    "and so does an abandon, which wins": (
        "1 record ANSWER 101 9/7 inbound, 1 abandons 999 after 9",
        "999 abandoned 1, 999 offered 1, all offered 1, 101 answered 0",
    ),
    "an answer in a queue first heard of after the end lasted no time": (
        "1 rings 101 in 999, 1 hangs up, +3s, 1 answered 102 in 888",
        "888 answered 1, 888 aht 0s, 102 talked 0s",
    ),
    "no ring after the end is a return": (
        "1 rings 101 in 999, +8s, 1 abandons 999 after 8, +3s, 1 hangs up, +15s,"
        "1 rings 101 in 999, +2m",
        "999 abandoned 1, 999 offered 1",
    ),
    "who is called directly was in no queue": (
        "1 rings 101, +4s, 1 answered 101, +9s, 1 hangs up, +2m",
        "101 direct 1, 101 answered 0, all offered 0, call 1 visited nothing",
    ),
    "an answer without its queue answers the visit": (
        "1 rings 101 in 999, +4s, 1 answered 101",
        "999 answered 1, 101 answered 1, 101 direct 0",
    ),
    "an answer with no ring before it": (
        "1 answered 101 in 999, +9s, 1 hangs up",
        "999 answered 1, 999 asa 0s, 999 aht 9s",
    ),
}


@pytest.mark.parametrize(("story", "truth"), VISITS.values(), ids=VISITS)
def test_visit(story: str, truth: str) -> None:
    assert lies(after(story), truth) == []
