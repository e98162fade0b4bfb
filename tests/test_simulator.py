"""The simulated exchange says what a recorded one says, in the order in which it says it."""

import pytest

from app.simulator.exchange import Refused
from app.simulator.hosts import Hosts
from tests.simulator_floor import Floor, said


def test_ring_all_rings_every_idle_phone_and_then_tells_their_status() -> None:
    floor = Floor()
    floor.log_in(floor.one, floor.two, floor.three)

    floor.exchange.arrive("901", "01201234567")
    words = said(floor.take())

    assert words[:3] == ["RING 101", "RING 102", "RING 103"]
    assert sorted(words[3:]) == ["ring 101", "ring 102", "ring 103"]


def test_an_answer_silences_the_others_by_nothing_but_their_status() -> None:
    floor = Floor()
    floor.log_in(floor.one, floor.two)
    call = floor.exchange.arrive("901", "01201234567")
    floor.take(2.0)

    assert floor.exchange.answer(floor.two, call)
    words = said(floor.take())

    assert sorted(words) == ["ANSWER 102", "on 101", "talk 102"]


def test_the_status_mostly_but_not_always_precedes_the_answer() -> None:
    firsts = []
    for seed in range(40):
        floor = Floor(seed=seed)
        floor.log_in(floor.one)
        call = floor.exchange.arrive("901", "01201234567")
        floor.take(1.0)
        floor.exchange.answer(floor.one, call)
        firsts.append(said(floor.take())[0])

    assert 20 < firsts.count("talk 101") < 40


def test_a_call_ends_with_hangup_record_and_status_in_any_order() -> None:
    orders = set()
    for seed in range(40):
        floor = Floor(seed=seed)
        floor.log_in(floor.one)
        call = floor.exchange.arrive("901", "01201234567")
        floor.take(1.0)
        floor.exchange.answer(floor.one, call)
        floor.take(30.0)
        floor.exchange.hang_up(call)
        words = said(floor.take())
        assert sorted(words) == ["hangup", "on 101", "record ANSWER 101"]
        orders.add(tuple(words))

    assert len(orders) == 6


def test_a_queue_record_counts_the_wait_as_talk() -> None:
    floor = Floor()
    floor.log_in(floor.one)
    call = floor.exchange.arrive("901", "01201234567")
    floor.take(5.0)
    floor.exchange.answer(floor.one, call)
    floor.take(30.0)
    floor.exchange.hang_up(call)
    (record,) = [webhook for webhook in floor.take() if webhook.path.endswith("calldata")]

    assert record.params["duration"] == record.params["billsec"] == "35"
    assert floor.queue.tally.holds == pytest.approx(5.0)
    assert floor.queue.tally.talk == pytest.approx(30.0)


def test_nobody_answers_and_the_next_round_begins_after_the_rest() -> None:
    floor = Floor()
    floor.log_in(floor.one)
    floor.exchange.arrive("901", "01201234567")
    floor.take(7.9)

    assert said(floor.take(0.2)) == ["record NOANSWER 101", "on 101"]
    assert said(floor.take(1.8)) == []
    assert said(floor.take(0.2)) == ["RING 101", "ring 101"]


def test_round_robin_rings_one_after_another() -> None:
    floor = Floor(strategy="round-robin")
    floor.log_in(floor.one, floor.two)
    floor.exchange.arrive("901", "01201234567")

    words = said(floor.take(21.0))

    assert [word for word in words if word.startswith("RING")] == [
        "RING 101",
        "RING 102",
        "RING 101",
    ]


def test_a_declined_call_rings_at_the_next_phone_at_once() -> None:
    floor = Floor(strategy="round-robin")
    floor.log_in(floor.one, floor.two)
    call = floor.exchange.arrive("901", "01201234567")
    floor.take(1.0)

    floor.exchange.decline(floor.one, call)

    assert said(floor.take(0.1)) == ["record NOANSWER 101", "on 101", "RING 102", "ring 102"]


def test_an_abandoned_call_has_no_call_record() -> None:
    floor = Floor()
    floor.log_in(floor.one)
    call = floor.exchange.arrive("901", "01201234567")
    floor.take(4.0)

    floor.exchange.abandon(call)
    webhooks = floor.take()

    assert sorted(said(webhooks)) == ["hangup", "on 101", "record ABANDON"]
    assert {webhook.params.get("holdtime") for webhook in webhooks} == {"4", None}


def test_a_caller_whom_nobody_rings_is_seen_only_when_giving_up() -> None:
    floor = Floor()
    call = floor.exchange.arrive("901", "01201234567")

    assert said(floor.take(20.0)) == []
    floor.exchange.abandon(call)
    assert sorted(said(floor.take())) == ["hangup", "record ABANDON"]


def test_overflow_looks_like_an_abandon_and_rings_elsewhere_with_the_same_callid() -> None:
    floor = Floor(limit=6.0, overflow="902")
    floor.log_in(floor.one, floor.other)
    call = floor.exchange.arrive("901", "01201234567")
    floor.take(5.9)

    webhooks = floor.take(0.2)
    words = said(webhooks)

    assert words[0] == "record NOANSWER 101"
    assert sorted(words[1:3]) == ["on 101", "record ABANDON"]
    assert words[3:] == ["RING 104", "ring 104"]
    assert webhooks[3].params["callid"] == call.callid
    assert (floor.queue.tally.otherwise, floor.queue.tally.abandoned) == (1, 0)


def test_a_queue_with_autopause_pauses_who_does_not_answer() -> None:
    floor = Floor(autopause=True)
    floor.log_in(floor.one)
    floor.exchange.arrive("901", "01201234567")
    floor.take(7.9)

    assert said(floor.take(0.2)) == ["record NOANSWER 101", "pause 101"]


def test_a_pause_during_a_call_shows_when_the_call_ends() -> None:
    floor = Floor()
    floor.log_in(floor.one)
    call = floor.exchange.arrive("901", "01201234567")
    floor.exchange.answer(floor.one, call)
    floor.take()

    floor.exchange.set_paused(floor.one, True)
    assert said(floor.take(5.0)) == []

    floor.exchange.hang_up(call)
    assert "pause 101" in said(floor.take())


def test_a_log_off_leaves_the_call_up() -> None:
    floor = Floor()
    floor.log_in(floor.one)
    call = floor.exchange.arrive("901", "01201234567")
    floor.exchange.answer(floor.one, call)
    floor.take(5.0)

    floor.exchange.log_out(floor.one)
    assert said(floor.take(5.0)) == ["off 101"]

    floor.exchange.hang_up(call)
    assert sorted(said(floor.take())) == ["hangup", "record ANSWER 101"]


def test_a_blind_transfer_frees_the_agent_and_rings_without_a_queue() -> None:
    floor = Floor(strategy="round-robin")
    floor.log_in(floor.one, floor.other)
    call = floor.exchange.arrive("901", "01201234567")
    floor.exchange.answer(floor.one, call)
    floor.take(10.0)

    floor.exchange.transfers.blind(call, floor.one, floor.other)
    webhooks = floor.take(2.0)
    assert said(webhooks) == ["on 101", "RING 104", "ring 104"]
    assert "queue" not in webhooks[1].params

    floor.exchange.answer(floor.other, call)
    floor.take(10.0)
    floor.exchange.hang_up(call)
    ends = said(floor.take())
    assert sorted(ends) == ["hangup", "on 104", "record ANSWER 101", "record ANSWER 104"]


def test_a_blind_transfer_that_nobody_answers_ends_the_call() -> None:
    floor = Floor()
    floor.log_in(floor.one)
    call = floor.exchange.arrive("901", "01201234567")
    floor.exchange.answer(floor.one, call)
    floor.exchange.transfers.blind(call, floor.one, floor.other)
    floor.take(19.0)

    assert sorted(said(floor.take(2.0))) == ["hangup", "record ANSWER 101"]
    assert floor.exchange.switch.calls == {}


def test_an_attended_transfer_has_no_webhook_but_the_phones_status() -> None:
    floor = Floor()
    floor.log_in(floor.one, floor.other)
    call = floor.exchange.arrive("901", "01201234567")
    floor.exchange.answer(floor.one, call)
    floor.take(10.0)

    floor.exchange.transfers.consult(call, floor.other)
    floor.exchange.answer(floor.other, call)
    floor.take(5.0)
    floor.exchange.transfers.hand_over(call, floor.one, floor.other)
    assert said(floor.take()) == ["on 101"]

    floor.exchange.hang_up(call)
    assert sorted(said(floor.take())) == ["hangup", "on 104", "record ANSWER 101"]


def test_one_phone_may_ring_for_two_queues_and_ring_on_after_the_first_call() -> None:
    floor = Floor(timeout=60.0)
    floor.two.queues = ("901", "902")
    floor.exchange.switch.queues["902"].members.append("102")
    floor.exchange.switch.queues["902"].timeout = 60.0
    floor.log_in(floor.two)
    first = floor.exchange.arrive("901", "01201234567")
    second = floor.exchange.arrive("902", "01207654321")
    floor.take(1.0)
    floor.exchange.answer(floor.two, first)
    floor.take(5.0)

    floor.exchange.hang_up(first)

    assert "ring 102" in said(floor.take())
    assert floor.exchange.answer(floor.two, second)


def test_an_agent_dials_and_the_customer_answers() -> None:
    floor = Floor()
    floor.log_in(floor.one)

    call = floor.exchange.dial(floor.one, "01201234567")
    assert said(floor.take(4.0)) == ["init RING 101", "talk 101"]

    floor.exchange.dialling.customer_answers(call)
    assert said(floor.take(10.0)) == ["init ANSWER 101"]

    floor.exchange.hang_up(call)
    webhooks = floor.take()
    record = next(webhook.params for webhook in webhooks if webhook.path.endswith("calldata"))
    assert (record["duration"], record["billsec"], record["direction"]) == ("14", "10", "Outbound")


def test_an_unanswered_outbound_call_leaves_two_records() -> None:
    floor = Floor()
    floor.log_in(floor.one)
    floor.exchange.dial(floor.one, "01201234567")

    words = said(floor.take(31.0))

    assert words.count("record NOANSWER 101") == 2
    assert words.count("hangup") == 1


def test_a_direct_call_nobody_answers_has_a_record_without_a_queue() -> None:
    floor = Floor()
    floor.log_in(floor.one)
    floor.exchange.dialling.direct(floor.one, "01201234567", "02800000101")

    webhooks = floor.take(21.0)

    assert said(webhooks)[:2] == ["RING 101", "ring 101"]
    assert sorted(said(webhooks)[2:]) == ["hangup", "on 101", "record NOANSWER 101"]
    assert all("queue" not in webhook.params for webhook in webhooks)


def test_click_to_call_rings_the_agent_first_and_only_by_its_status() -> None:
    floor = Floor()
    floor.log_in(floor.one)

    call = floor.exchange.click_to_call("101", "01201234567")
    assert said(floor.take(2.0)) == ["ring 101"]

    floor.exchange.answer(floor.one, call)
    assert said(floor.take()) == ["talk 101", "init RING 101"]


def test_click_to_call_that_the_agent_ignores_comes_to_nothing() -> None:
    floor = Floor()
    floor.log_in(floor.one)
    floor.exchange.click_to_call("101", "01201234567")

    assert said(floor.take(16.0)) == ["ring 101", "on 101"]
    assert floor.exchange.switch.calls == {}


def test_a_supervisor_listens_until_the_call_ends() -> None:
    floor = Floor()
    floor.log_in(floor.one)
    call = floor.exchange.arrive("901", "01201234567")
    floor.exchange.answer(floor.one, call)
    floor.take(3.0)

    floor.exchange.listen("900", "101", "whisper")
    floor.take(2.0)
    (session,) = floor.exchange.listeners.current()
    assert (session.src, session.dst, session.mode) == ("900", "101", "whisper")
    assert session.connected is not None

    floor.exchange.hang_up(call)
    assert floor.exchange.listeners.current() == []
    assert not floor.supervisor.legs


def test_a_listening_supervisor_may_switch_to_another_mode() -> None:
    floor = Floor()
    floor.log_in(floor.one)
    floor.exchange.answer(floor.one, floor.exchange.arrive("901", "01201234567"))
    floor.exchange.listen("900", "101", "whisper")
    floor.take(2.0)

    floor.exchange.listen("900", "101", "threeway")
    (session,) = floor.exchange.listeners.current()
    assert session.mode == "threeway"


@pytest.mark.parametrize(
    ("src", "dst", "mode"),
    [("900", "101", "whisper"), ("900", "102", "listen"), ("900", "555", "whisper")],
    ids=["nobody talks", "unknown mode", "unknown phone"],
)
def test_listening_is_refused_where_there_is_nothing_to_hear(src: str, dst: str, mode: str) -> None:
    floor = Floor()
    floor.log_in(floor.one)

    with pytest.raises(Refused):
        floor.exchange.listen(src, dst, mode)
    assert floor.exchange.listeners.sessions == []


@pytest.mark.anyio
async def test_a_host_that_ends_in_localhost_is_this_machine():
    hosts = Hosts()
    try:
        found = await hosts.resolve("acme.localhost", 8000)
    finally:
        await hosts.close()

    assert [(one["host"], one["port"]) for one in found] == [("127.0.0.1", 8000)]
