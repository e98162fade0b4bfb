"""What readers are given: cards, tiles, rows, totals, the JSON report; what an event changed."""

from dataclasses import fields

from app.domain.board import ABANDONS_SHOWN, extension_order
from app.domain.books import ABANDONS_KEPT
from app.domain.calls import CONFLICTS_KEPT
from app.domain.events import AgentNamed, CallBackPlaced, CallEnded, Event, QueueNamed, Tick
from app.domain.report import changes_report, floor_report
from app.domain.states import Status
from app.domain.turn import Changes
from app.domain.view import AgentCard
from tests.story import Story, after, event_of, lies

BUSY = (
    "101 on, 102 pause, 103 off, 1 rings 101 in 999, +4s, 1 answered 101 in 999, +6s,"
    "2 rings 104 in 888, 3 waits in 999"
)


def card(story: Story, extension: str) -> AgentCard:
    found = story.floor.agent_card(extension)
    assert found is not None
    return found


def changes_of(story: Story, event: str | Event) -> Changes:
    happened = event_of(event) if isinstance(event, str) else event
    return story.floor.apply(story.state.seq + 1, story.now, happened)


def test_a_card_speaks_of_the_call_that_its_status_means() -> None:
    story = after("1 rings 101 in 999, 2 rings 101 in 888, 2 answered 101 in 888")
    shown = card(story, "101")

    assert (shown.status, shown.calls, shown.queue) == (Status.TALK, ("2", "1"), "888")
    assert (shown.phone, shown.direction) == ("0902", "inbound")


def test_a_card_of_nobody_s_call_is_bare() -> None:
    shown = card(after("101 on"), "101")

    assert (shown.calls, shown.phone, shown.queue, shown.direction) == ((), "", "", "")


def test_no_card_for_an_extension_never_heard_of() -> None:
    assert after("101 on").floor.agent_card("102") is None


def test_cards_are_in_the_order_of_their_numbers() -> None:
    story = after("1000 on, 101 on, 99 on")

    assert [one.extension for one in story.floor.agent_cards()] == ["99", "101", "1000"]
    assert sorted(["b", "10", "a", "9"], key=extension_order) == ["9", "10", "a", "b"]


def test_an_administrator_names_an_agent() -> None:
    named = AgentNamed(extension="101", name="Mai", team="Blue", never_listen=True)
    shown = card(after("101 on", named), "101")

    assert (shown.name, shown.team, shown.never_listen) == ("Mai", "Blue", True)
    assert shown.status is Status.ON


def test_a_tile_counts_its_callers_and_its_agents() -> None:
    story = after(BUSY)
    first, second = story.floor.queue_tiles()

    assert (first.queue, second.queue) == ("888", "999")
    assert (second.waiting, second.talking, second.oldest) == (1, 1, story.now)
    assert second.agents[Status.TALK] == first.agents[Status.RING] == 1
    assert sum(first.agents.values()) == 1


def test_totals_count_everybody_once() -> None:
    story = after("1 rings 101 in 999, 2 rings 101 in 888, +3s, 3 waits in 888")
    totals = story.floor.totals()

    assert (totals.waiting, totals.oldest, sum(totals.agents.values())) == (3, story.began, 1)


def test_totals_of_some_queues_know_nothing_of_others() -> None:
    story = after(BUSY, "4 abandons 888 after 3")
    one, none = story.floor.totals(frozenset({"888"})), story.floor.totals(frozenset())

    assert (one.waiting, one.talking, one.today.offered) == (1, 0, 1)
    assert one.agents == {**dict.fromkeys(Status, 0), Status.RING: 1}
    assert (none.waiting, none.talking, none.today.offered, sum(none.agents.values())) == (
        0,
        0,
        0,
        0,
    )
    assert story.floor.totals().today.offered == 2


def test_totals_count_who_is_in_doubt() -> None:
    assert after("1 answered 101 in 999, 101 off, +5s").floor.totals().in_doubt == 1


def test_callers_wait_in_order_of_their_waits() -> None:
    story = after("2 waits in 888, +1s, 1 waits in 999, 1 rings 102 in 999, 1 rings 101 in 999")
    rows = story.floor.waiting_rows()

    assert [(row.callid, row.queue, row.ringing) for row in rows] == [
        ("2", "888", ()),
        ("1", "999", ("101", "102")),
    ]
    assert rows[0].phone == "0902"


def test_a_direct_call_waits_in_no_tile_but_in_the_totals() -> None:
    story = after("1 rings 101")

    assert lies(story, "1 waits in no queue for 0s, all waiting 1") == []


def test_an_answered_call_is_of_the_queue_it_was_answered_in_last() -> None:
    story = after("1 answered 101 in 999, +20s, 1 rings 201 in 888, 1 answered 201 in 888")

    assert lies(story, "999 talking 0, 888 talking 1, all talking 1") == []


def test_the_newest_abandons_come_first() -> None:
    story = after(*(f"{number} abandons 999 after 3, +1s" for number in range(ABANDONS_SHOWN + 9)))
    rows = story.floor.abandon_rows()

    assert len(rows) == ABANDONS_SHOWN
    assert rows[0].callid == str(ABANDONS_SHOWN + 8)
    assert rows[0].at > rows[-1].at


def test_abandons_are_kept_in_bounds_and_all_counted() -> None:
    story = after(*(f"{number} abandons 999 after 3" for number in range(ABANDONS_KEPT + 9)))

    assert len(story.state.abandons) == ABANDONS_KEPT
    assert lies(story, f"999 abandoned {ABANDONS_KEPT + 9}") == []


def test_conflicts_are_kept_in_bounds_and_once_each() -> None:
    story = after(
        *(f"{number} rings 101, 101 dials {number}" for number in range(CONFLICTS_KEPT + 9))
    )
    story.tell("101 dials 108")

    assert len(story.state.conflicts) == CONFLICTS_KEPT
    assert "108" in story.state.conflicts[-1]


def test_who_was_called_back_is_marked() -> None:
    story = after("1 abandons 999 after 3, 2 abandons 999 after 3")
    story.tell(CallBackPlaced(callid="1", by="mai"))
    rows = {row.callid: row.called_back for row in story.floor.abandon_rows()}

    assert rows == {"1": True, "2": False}


def test_a_call_back_outlives_a_correction_of_the_abandon() -> None:
    story = after("1 rings 101 in 999, +7s, 1 hangs up, +70s")
    story.tell(CallBackPlaced(callid="1", by="mai"), "1 abandons 999 after 9")

    assert lies(story, "1 called back, 1 gave up 999 after 9s exactly, 1 gave up") == []


def test_the_report_has_the_floor_in_seconds_and_utc() -> None:
    story = after(BUSY, QueueNamed(queue="999", name="Sales"), "+10s")
    report = floor_report(story.state, story.now, rejected=3)

    assert report["as_of"] == "2026-03-02T10:00:20.000Z"
    assert [queue["name"] for queue in report["queues"]] == ["", "Sales"]
    sales = report["queues"][1]
    assert (sales["waiting"], sales["longest_wait_s"], sales["talking"]) == (1, 10.0, 1)
    assert report["queues"][0]["longest_wait_s"] == 10.0
    assert report["webhooks"]["rejected"] == 3
    assert (report["webhooks"]["accepted"], report["webhooks"]["flagged"]) == (7, 0)
    story.tell(CallEnded(callid="77", flags=("phone",)))
    assert floor_report(story.state, story.now, rejected=3)["webhooks"]["flagged"] == 1

    agent = report["agents"][0]
    assert (agent["extension"], agent["status"], agent["calls"]) == ("101", "talk", ["1"])
    assert (agent["today"]["talk_s"], agent["today"]["ring_s"]) == (16.0, 4.0)
    assert agent["today"]["occupancy"] == 1.0


def test_the_api_tells_what_arrived_in_the_last_quarter_half_and_whole_hour() -> None:
    story = after(
        "1 abandons 999 after 8, ~20m, 2 abandons 999 after 9, ~20m, 3 abandons 888 after 7"
    )
    report = floor_report(story.state, story.now)
    [support] = [queue for queue in report["queues"] if queue["queue"] == "999"]

    assert {span: last["abandoned"] for span, last in support["last"].items()} == {
        "15": 0,
        "30": 1,
        "60": 2,
    }
    assert {span: last["offered"] for span, last in report["last"].items()} == {
        "15": 1,
        "30": 2,
        "60": 3,
    }


def test_the_report_lists_calls_that_go_on_and_no_others() -> None:
    story = after(BUSY, "4 rings 101 in 999, 4 hangs up, 5 abandons 888 after 3, 101 dials 6")
    calls = {call["callid"]: call for call in floor_report(story.state, story.now)["calls"]}

    assert set(calls) == {"1", "2", "3", "6"}
    assert (calls["1"]["state"], calls["1"]["agent"], calls["1"]["queue"]) == (
        "answered",
        "101",
        "999",
    )
    assert (calls["2"]["state"], calls["2"]["ringing"], calls["2"]["agent"]) == (
        "waiting",
        ["104"],
        None,
    )
    assert (calls["3"]["ringing"], calls["3"]["queue"]) == ([], "999")
    assert (calls["6"]["direction"], calls["6"]["queue"]) == ("outbound", None)


def test_the_report_of_nothing_has_no_figures() -> None:
    report = floor_report(Story().state, 0)

    assert report["as_of"] == "1970-01-01T00:00:00.000Z"
    assert report["webhooks"]["last_at"] is None
    assert report["today"]["service_level"] is None


def test_a_ring_changes_its_agent_its_queue_and_who_waits() -> None:
    changes = changes_of(after("101 on, 102 on"), "1 rings 101 in 999")

    assert (changes.agents, changes.queues, changes.calls) == ({"101"}, {"999"}, {"1"})
    assert changes.waiting
    assert changes.totals
    assert changes.roster
    assert not changes.abandons
    assert not changes.beat


def test_an_answer_changes_all_whom_it_silences() -> None:
    story = after("1 rings 101 in 999, 1 rings 102 in 999")

    assert changes_of(story, "1 answered 101 in 999").agents == {"101", "102"}


def test_a_status_changes_its_agent_and_its_queues() -> None:
    story = after("1 rings 101 in 999, 1 hangs up")
    changes = changes_of(story, "101 pause")

    assert (changes.agents, changes.queues, changes.calls) == ({"101"}, {"999"}, set())


def test_an_abandon_changes_the_list_of_abandons() -> None:
    assert changes_of(after("1 rings 101 in 999"), "1 abandons 999 after 3").abandons


def test_a_tick_is_a_beat_and_changes_nothing_else() -> None:
    assert changes_of(after("101 on, 1 rings 101 in 999"), Tick()) == Changes(beat=True)


def test_changes_add_up_in_every_field() -> None:
    whole = Changes(agents={"101"})
    names = [one.name for one in fields(Changes)]
    for name in names:
        other = Changes()
        setattr(other, name, True if getattr(other, name) is False else {"102"})
        whole.add(other)

    assert whole.agents == {"101", "102"}
    assert [name for name in names if not getattr(whole, name)] == []


def test_the_report_of_changes_has_what_changed_as_it_is_now() -> None:
    story = after(BUSY)
    changes = changes_of(story, "1 hangs up")
    report = changes_report(story.state, changes, story.now)

    assert [agent["extension"] for agent in report["agents"]] == ["101"]
    assert [queue["queue"] for queue in report["queues"]] == ["999"]
    assert report["calls"] == {"1": None}
    assert report["today"]["answered"] == 1


def test_the_report_of_a_ring_has_the_call() -> None:
    story = after("101 on")
    report = changes_report(story.state, changes_of(story, "1 rings 101 in 999"), story.now)

    assert report["calls"]["1"]["ringing"] == ["101"]


def test_the_report_of_a_beat_has_no_rows() -> None:
    report = changes_report(after("1 rings 101 in 999").state, Changes(beat=True), 0)

    assert (report["agents"], report["queues"], report["calls"]) == ([], [], {})
