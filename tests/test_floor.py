"""The rules of the floor about calls: a story in words, and what is true afterwards.

A bug report becomes one row.
"""

from dataclasses import replace

import pytest

from app.domain import events
from app.domain.floor import RULES, WEBHOOKS
from app.domain.model import FloorState
from app.log.codec import KINDS
from tests.story import Story, after, lies

RING_ALL = {
    "an answer silences all other phones": (
        "1 rings 101 in 999, 1 rings 102 in 999, 1 answered 101 in 999",
        "101 talk, 102 on, call 1 ringing nowhere, call 1 talking 101, 999 waiting 0",
    ),
    "an abandon silences all phones": (
        "1 rings 101 in 999, 1 rings 102 in 999, +8s, 1 abandons 999 after 9",
        "101 on, 102 on, 999 waiting 0, 999 abandoned 1, 1 gave up 999 after 9s exactly",
    ),
    "an abandon of one queue leaves the phones of the next": (
        "1 rings 101 in 999, +8s, 1 rings 201 in 888, 1 abandons 999 after 8",
        "101 on, 201 ring, 888 waiting 1, 999 abandoned 1",
    ),
    "the end silences all phones": (
        "1 rings 101 in 999, 1 rings 102 in 999, 1 hangs up",
        "101 on, 102 on, call 1 ended, 999 waiting 0",
    ),
    "a phone that is ready again has stopped ringing": (
        "101 on, 101 ring, 1 rings 101 in 999, 1 rings 102 in 999, 101 on",
        "101 on, 102 ring, call 1 ringing 102, 999 waiting 1",
    ),
    "a caller may wait though no phone rings": (
        "1 waits in 999, +7s",
        "999 waiting 1, 1 waits in 999 for 7s, call 1 ringing nowhere",
    ),
}
ENDS = {
    "talk before the answer and on before the hangup": (
        "101 on, 1 rings 101 in 999, 101 ring, +3s, 101 talk, 1 answered 101 in 999, +9s,"
        "101 on, 1 hangs up, 1 record ANSWER 101 12/9",
        "101 on, 101 answered 1, 101 talked 9s, 999 answered 1, 999 asa 3s, 999 aht 9s",
    ),
    "the record ends a call whose hangup was lost": (
        "1 rings 101 in 999, 1 answered 101 in 999, +9s, 1 record ANSWER 101 9/9",
        "101 on, call 1 ended, 999 answered 1, 999 aht 9s",
    ),
    "a late answer revives nothing and is counted": (
        "1 rings 101 in 999, +4s, 1 hangs up, 1 answered 101 in 999",
        "101 on, call 1 ended, 999 answered 1, 101 answered 1, 999 talking 0",
    ),
    "a late ring revives nothing": (
        "1 rings 101 in 999, 1 answered 101 in 999, 1 hangs up, 1 rings 102 in 999",
        "call 1 ended, call 1 ringing nowhere, 999 waiting 0",
    ),
    "a hangup may overtake the ring": (
        "1 hangs up, 1 rings 101 in 999, +2m",
        "call 1 ended, 999 waiting 0, 999 abandoned 1",
    ),
    "a hangup of a call never seen counts nothing": (
        "1 hangs up, +2m",
        "call 1 ended, call 1 visited nothing, all offered 0, 0 gave up",
    ),
    "no hangup and no record, and the minute is up": (
        "1 rings 101 in 999, +4s, 1 answered 101 in 999, +9s, 1 hangs up, +65s",
        "999 answered 1, 999 asa 4s, 999 aht 9s, call 1 ended",
    ),
    "the same callid in other letters is another call": (
        "a1 rings 101 in 999, A1 rings 102 in 999, a1 hangs up",
        "call a1 ended, call A1 waiting, 101 on, 102 ring",
    ),
}
MISSES = {
    "a no-answer leaves the caller waiting": (
        "1 rings 101 in 999, +8s, 1 missed 101 in 999, +1s",
        "101 on, 101 missed 1, 999 waiting 1, 1 waits in 999 for 9s",
    ),
    "two rounds are two misses and one visit": (
        "1 rings 101 in 999, +8s, 1 missed 101 in 999, +2s, 1 rings 101 in 999, +8s,"
        "1 missed 101 in 999, +2s, 1 rings 102 in 999, +3s, 1 answered 102 in 999",
        "101 missed 2, 102 answered 1, 999 offered 1, 999 asa 23s",
    ),
    "a miss told twice is one": (
        "1 rings 101 in 999, +8s, 1 missed 101 in 999, 1 missed 101 in 999",
        "101 missed 1",
    ),
    "a ring told twice is one round": (
        "1 rings 101 in 999, 1 rings 101 in 999, +8s, 1 missed 101 in 999",
        "101 missed 1, 101 on, 101 in no call",
    ),
    "a miss of a call never seen brings the caller": (
        "1 missed 101 in 999, +3s",
        "101 missed 1, 999 waiting 1, 1 waits in 999 for 3s",
    ),
    "a miss after the end counts for the agent alone": (
        "1 rings 101 in 999, 1 hangs up, 1 missed 101 in 999, +2m",
        "101 missed 1, 101 on, 999 abandoned 1",
    ),
    "a miss without a queue is the record of a direct call": (
        "1 rings 101, +8s, 1 missed 101",
        "101 missed 0, call 1 ended, all offered 0",
    ),
}
TRANSFERS = {
    "a transfer without a queue moves the call when it is answered": (
        "1 rings 101 in 999, 1 answered 101 in 999, +5s, 1 rings 102, +3s, 1 answered 102",
        "101 on, 102 talk, call 1 talking 102, 999 answered 1, 101 answered 1, 102 answered 0,"
        "102 direct 1, 999 talking 1",
    ),
    "until then the first agent talks": (
        "1 rings 101 in 999, 1 answered 101 in 999, +5s, 1 rings 102",
        "101 talk, 102 ring, call 1 answered",
    ),
    "a transfer to another queue is another visit": (
        "1 rings 101 in 999, 1 answered 101 in 999, +30s, 1 rings 201 in 888, +3s,"
        "1 answered 201 in 888, +9s, 1 hangs up",
        "999 answered 1, 888 answered 1, 101 talked 30s, 201 talked 9s, all offered 2, 888 asa 3s",
    ),
    "the first agent's phone said when the call left": (
        "101 on, 1 rings 101 in 999, 1 answered 101 in 999, 101 talk, +20s, 101 on, +3s,"
        "1 rings 102, +1s, 1 answered 102",
        "101 on for 4s, 101 talked 20s, 102 talk, 101 sure",
    ),
    "a pause is no word of leaving the call": (
        "101 on, 1 answered 101 in 999, +10s, 101 pause, +10s, 1 rings 102, 1 answered 102",
        "101 talked 20s, 101 pause for 0s, 102 talk",
    ),
    "a copy of the first answer does not move the call back": (
        "1 rings 101 in 999, 1 answered 101 in 999, 1 rings 102, 1 answered 102,"
        "1 answered 101 in 999",
        "101 on, 102 talk, 999 answered 1",
    ),
    "nobody answers the transfer and the caller hangs up": (
        "1 rings 101 in 999, 1 answered 101 in 999, +5s, 1 rings 102, +3s, 1 hangs up",
        "101 on, 102 off, 999 answered 1, 999 abandoned 0, 101 talked 8s",
    ),
}
RECORDS = {
    "a call known from its record alone counts": (
        "1 record ANSWER 101 30/20 inbound on 2026-03-02 09:59:00",
        "all answered 1, 101 answered 1, 101 talked 20s, all asa 10s, call 1 ended",
    ),
    "and gets its queue when one is told": (
        "1 record ANSWER 101 30/20 inbound, 1 answered 101 in 999",
        "999 answered 1, all answered 1, 101 answered 1",
    ),
    "a record from yesterday says nothing of today": (
        "1 record ANSWER 101 30/20 inbound on 2026-03-01 09:59:00",
        "all answered 0, all offered 0",
    ),
    "a record says who answered when the answer was lost": (
        "1 rings 101 in 999, +8s, 1 rings 102 in 999, +22s, 1 record ANSWER 102 30/20",
        "102 answered 1, 999 answered 1, 101 on, 102 on, 999 asa 10s, 999 aht 20s",
    ),
    "an answer told after such a record puts its agent right": (
        "1 rings 101 in 999, +30s, 1 record ANSWER 102 30/20, 1 answered 103 in 999",
        "999 answered 1, 103 answered 1, 102 answered 0",
    ),
    "an unanswered record answers nothing": (
        "1 rings 101 in 999, +8s, 1 record BUSY 101 8/0, +65s",
        "999 answered 0, 999 abandoned 1, call 1 ended",
    ),
    "an outbound record never seen before counts as a call of the agent": (
        "2 record ANSWER 101 30/20 outbound",
        "101 outbound 1, 101 answered 0, all offered 0, call 2 outbound",
    ),
    "an outbound record from yesterday does not": (
        "2 record ANSWER 101 30/20 outbound on 2026-03-01 09:59:00",
        "call 2 outbound, all offered 0, 0 agents",
    ),
    "a record told twice is one": (
        "1 record ANSWER 101 30/20, 1 record ANSWER 101 30/20",
        "all answered 1, 101 talked 20s",
    ),
    "records of a transfer say nothing of the wait": (
        "1 rings 101 in 999, +20s, 1 answered 101 in 999, +30s, 1 hangs up,"
        "1 record ANSWER 101 50/30, 1 record ANSWER 102 20/20",
        "999 asa 20s, 999 aht 30s, 999 answered 1",
    ),
}
OUTBOUND = {
    "an agent calls somebody": (
        "101 on, 101 dials 2, +3s, 101 reaches 2, +9s, 2 hangs up, 101 on",
        "101 on, 101 outbound 1, 101 was ring 3s, 101 was talk 9s, all offered 0",
    ),
    "told twice is one call": (
        "101 dials 2, 101 dials 2, 101 reaches 2, 101 reaches 2",
        "101 outbound 1, 101 talk, 101 in 2",
    ),
    "an answer without a ring before it": ("101 reaches 2", "101 talk, 101 outbound 1"),
    "a late answer of an outbound call revives nothing": (
        "101 dials 2, 2 hangs up, 101 reaches 2",
        "101 off, 101 outbound 1, call 2 ended",
    ),
    "nobody waits while the customer's phone rings": (
        "101 dials 2, +7s",
        "all waiting 0, call 2 ringing 101, 101 ring",
    ),
    "a call told to be inbound and then outbound stays what it was": (
        "1 rings 101 in 999, 102 dials 1, 102 reaches 1",
        "call 1 inbound, call 1 ringing 101, 1 conflicts",
    ),
    "a call told to be outbound and then inbound stays what it was": (
        "101 dials 1, 1 rings 102 in 999, 1 answered 102 in 999, 1 missed 102 in 999,"
        "1 abandons 999 after 3",
        "call 1 outbound, call 1 ringing 101, 1 conflicts, all offered 0, call 1 visited nothing",
    ),
}
TABLES = (RING_ALL, ENDS, MISSES, TRANSFERS, RECORDS, OUTBOUND)
ROWS = {name: row for table in TABLES for name, row in table.items()}


@pytest.mark.parametrize(("story", "truth"), ROWS.values(), ids=ROWS)
def test_rule(story: str, truth: str) -> None:
    assert lies(after(story), truth) == []


def test_a_record_by_a_clock_that_is_ahead_began_now() -> None:
    story = after("1 record ANSWER 101 30/20 inbound on 2026-03-02 10:05:00")

    assert lies(story, "all answered 1, 101 talked 20s") == []
    assert story.state.calls["1"].first_seen == story.now


def test_no_sentence_stands_twice() -> None:
    assert len(ROWS) == sum(map(len, TABLES))


def test_a_record_that_was_asked_for_counts_as_no_webhook() -> None:
    told = events.CallRecorded(
        callid="1", status="ANSWER", extension="101", duration=30, billsec=20
    )
    story = after("101 on, +60s", replace(told, fetched=True))

    assert (story.state.webhooks.accepted, story.state.webhooks.last_at) == (1, story.now - 60_000)
    assert lies(story, "101 talked 20s") == []


def test_every_kind_of_event_has_a_rule() -> None:
    assert {*RULES, events.Tick} == set(KINDS.values())
    assert set(WEBHOOKS) < set(RULES)


def test_a_floor_of_nothing_is_empty() -> None:
    assert Story().state == FloorState()
    assert lies(Story(), "0 calls, all offered 0, 0 gave up") == []
