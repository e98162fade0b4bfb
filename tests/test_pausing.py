"""Pausing and resuming: one and many, now and after the call; what follows by itself."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from app.actions.aftermath import Aftermath
from app.actions.deeds import Kind
from app.actions.listening import SpyWish
from app.actions.pausing import PauseWish
from app.database import DatabaseUnavailable
from app.domain.events import ListenEnded
from app.pbx import PbxError, SpyMode
from app.rights import ACTING, Right
from tests.acting import MONDAY, acting, asker

pytestmark = pytest.mark.anyio

LUNCH = PauseWish("Lunch", MONDAY + 1_800_000)
AFTER = PauseWish("Lunch", MONDAY + 1_800_000, after_call=True)
BROKEN = PbxError("unreachable", "The PBX could not be reached.")
SILENT = PbxError("timeout", "The PBX did not answer; whether it did it is unknown.", unknown=True)


@pytest.fixture
async def floor():
    async with acting() as made:
        await made.tell("101 on, 102 on, 103 on, 7 rings 102 in 999, 7 answered 102 in 999")
        yield made


async def test_a_pause_is_done_when_the_pbx_reports_it(floor):
    outcome = await floor.actions.pausing.pause(asker(), "101", LUNCH)
    card = await floor.card("101")

    assert (outcome.kind, outcome.sentence) == (Kind.DONE, "Agent 101 is paused.")
    assert (card.status, card.pause_reason, card.pause_until) == ("pause", "Lunch", LUNCH.until)
    assert floor.pbx.calls == [("pause", "101")]
    assert await floor.said() == [("intent", "pause"), ("result", "pause")]


async def test_a_pause_that_the_pbx_only_promised_is_not_done_yet(floor):
    floor.pbx.reports = False
    outcome = await floor.actions.pausing.pause(asker(), "101", LUNCH)

    assert (outcome.kind, outcome.status) == (Kind.ASKED, 202)
    assert (await floor.card("101")).status == "on"
    assert floor.doubted == ["101"]


async def test_the_answer_waits_a_little_for_the_report(floor):
    floor.pbx.reports = False
    click = asyncio.create_task(floor.actions.pausing.pause(asker(), "101", LUNCH))
    await asyncio.sleep(0.03)
    assert not click.done()
    await floor.tell("101 pause")

    assert (await click).kind is Kind.DONE


async def test_a_pause_without_an_answer_is_unknown_and_looked_into(floor):
    floor.pbx.fails[""] = SILENT
    outcome = await floor.actions.pausing.pause(asker(), "101", LUNCH)

    assert (outcome.kind, outcome.status, outcome.sentence) == (Kind.UNKNOWN, 504, str(SILENT))
    assert floor.doubted == ["101"]


async def test_a_pause_that_failed_changes_nothing(floor):
    floor.pbx.fails[""] = BROKEN
    outcome = await floor.actions.pausing.pause(asker(), "101", LUNCH)
    card = await floor.card("101")

    assert (outcome.kind, outcome.status) == (Kind.FAILED, 502)
    assert (card.status, card.pause_reason) == ("on", "")


async def test_resuming_forgets_the_reason(floor):
    await floor.actions.pausing.pause(asker(), "102", LUNCH)
    outcome = await floor.actions.pausing.resume(asker(), "102")
    card = await floor.card("102")

    assert outcome.kind is Kind.DONE
    assert (card.paused, card.pause_reason, card.pause_until) == (False, "", None)


async def test_pause_resume_and_pause_again_are_three_calls(floor):
    await floor.actions.pausing.pause(asker(), "101", LUNCH)
    await floor.actions.pausing.resume(asker(), "101")
    await floor.actions.pausing.pause(asker(), "101", LUNCH)

    assert [call[0] for call in floor.pbx.calls] == ["pause", "resume", "pause"]


async def test_a_double_click_pauses_once(floor):
    await asyncio.gather(*[floor.actions.pausing.pause(asker(), "101", LUNCH) for _ in range(3)])

    assert floor.pbx.calls == [("pause", "101")]


async def test_a_double_click_a_moment_later_pauses_once(floor):
    first = PauseWish("Lunch", MONDAY + 60_000, planned="1")
    await floor.actions.pausing.pause(asker(), "101", first)
    later = replace(first, until=MONDAY + 60_150)
    await floor.actions.pausing.pause(asker(), "101", later)

    assert floor.pbx.calls == [("pause", "101")]


async def test_a_pause_in_a_call_counts_when_accepted_for_no_report_tells_it(floor):
    floor.pbx.reports = False
    paused = await floor.actions.pausing.pause(asker(), "102", LUNCH)
    card = await floor.card("102")
    assert (paused.kind, card.status, card.paused) == (Kind.DONE, "talk", True)

    back = await floor.actions.pausing.resume(asker(), "102")
    assert (back.kind, (await floor.card("102")).paused) == (Kind.DONE, False)


async def test_a_pause_in_a_call_without_an_answer_is_not_shown(floor):
    floor.pbx.fails[""] = SILENT
    await floor.actions.pausing.pause(asker(), "102", LUNCH)

    assert not (await floor.card("102")).paused


@pytest.mark.parametrize(
    ("who", "extension", "status"),
    [
        (asker(), "999", 404),
        (asker(queues=frozenset({"1"})), "102", 403),
        (asker(rights=ACTING - {Right.PAUSE}), "101", 403),
    ],
)
async def test_a_refused_pause_is_noted_and_reaches_no_pbx(floor, who, extension, status):
    outcome = await floor.actions.pausing.pause(who, extension, LUNCH)

    assert (outcome.status, floor.pbx.calls) == (status, [])
    assert await floor.said() == [("denied", "pause")]


# Several at once


async def test_several_are_paused_at_once(floor):
    outcome = await floor.actions.several.pause(asker(), ["101", "103", "101"], LUNCH)

    assert (outcome.kind, outcome.sentence) == (Kind.DONE, "2 paused.")
    assert sorted(floor.pbx.calls) == [("pause", "101"), ("pause", "103")]


async def test_the_summary_says_who_failed_and_why(floor):
    floor.pbx.fails["103"] = BROKEN
    outcome = await floor.actions.several.pause(asker(), ["101", "102", "103"], LUNCH)

    assert outcome.sentence == "2 paused, 1 failed: 103 — The PBX could not be reached."
    assert (outcome.kind, outcome.status) == (Kind.FAILED, 200)


async def test_when_none_worked_the_answer_is_a_failure(floor):
    floor.pbx.fails[""] = BROKEN
    outcome = await floor.actions.several.resume(asker(), ["101", "103"])

    assert (outcome.status, outcome.sentence[:19]) == (502, "0 resumed, 2 failed")


async def test_each_of_several_is_in_the_audit(floor):
    await floor.actions.several.pause(asker(queues=frozenset({"999"})), ["101", "102"], LUNCH)

    assert sorted(await floor.said()) == [
        ("denied", "pause"),
        ("intent", "pause"),
        ("result", "pause"),
    ]


async def test_several_get_an_answer_in_time_from_a_pbx_that_hangs(floor, monkeypatch):
    monkeypatch.setattr("app.actions.several.WHOLE_S", 0.1)
    floor.pbx.waits_s = 0.3
    outcome = await floor.actions.several.pause(asker(), ["101", "102"], LUNCH)
    await floor.actions.close()

    assert (outcome.kind, outcome.status) == (Kind.UNKNOWN, 504)
    assert [kind for kind, _ in await floor.said()].count("result") == 2


async def test_who_could_not_be_answered_for_in_time_is_not_begun(floor, monkeypatch):
    monkeypatch.setattr("app.actions.several.AT_ONCE", 1)

    async def slow(*_: object) -> None:
        floor.pass_s(4)

    monkeypatch.setattr(floor.pbx, "pause", slow)
    outcome = await floor.actions.several.pause(asker(), ["101", "103"], LUNCH)

    assert "103 — not tried" in outcome.sentence
    assert [row.extension for row in await floor.rows()] == ["101", "101"]


# After the call


@asynccontextmanager
async def watching(floor):
    task = asyncio.create_task(Aftermath(floor.actions.desk).run())
    await asyncio.sleep(0)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def seen(floor, extension, **wanted):
    """Return as soon as the card is so."""

    def is_so() -> bool:
        card = floor.projector.floor.agent_card(extension)
        return all(getattr(card, name) == value for name, value in wanted.items())

    async with asyncio.timeout(2):
        while not is_so():
            await floor.projector.wait_for(floor.projector.applied + 1)


async def test_a_pause_after_the_call_comes_when_it_ends(floor):
    async with watching(floor):
        outcome = await floor.actions.pausing.pause(asker(), "102", AFTER)
        assert (outcome.kind, floor.pbx.calls) == (Kind.DONE, [])
        await seen(floor, "102", pause_wanted=True, status="talk")

        await floor.tell("7 hangs up")
        await seen(floor, "102", pause_wanted=False, status="pause", pause_reason="Lunch")

    assert floor.pbx.calls == [("pause", "102")]
    assert [(row.kind, row.actor_name, row.actor_role) for row in await floor.rows()] == [
        ("done", "Ann", "supervisor"),
        ("intent", "Ann", "after call"),
        ("result", "Ann", "after call"),
    ]


async def test_a_pause_that_waits_for_the_call_can_be_taken_back(floor):
    async with watching(floor):
        await floor.actions.pausing.pause(asker(), "102", AFTER)
        await floor.caught_up()
        outcome = await floor.actions.pausing.resume(asker(), "102")
        await floor.tell("7 hangs up")

    assert (outcome.kind, floor.pbx.calls) == (Kind.DONE, [])
    assert not (await floor.card("102")).pause_wanted


async def test_a_pause_after_the_call_comes_at_once_without_a_call(floor):
    await floor.actions.pausing.pause(asker(), "101", AFTER)

    assert floor.pbx.calls == [("pause", "101")]


async def test_a_pause_after_the_call_that_fails_is_tried_once(floor):
    floor.pbx.fails[""] = BROKEN
    async with watching(floor):
        await floor.actions.pausing.pause(asker(), "102", AFTER)
        await floor.tell("7 hangs up")
        await seen(floor, "102", pause_wanted=False)
        await floor.tell("tick")

    assert floor.pbx.calls == [("pause", "102")]


async def test_whoever_goes_home_after_the_call_needs_no_pause(floor):
    async with watching(floor):
        await floor.actions.pausing.pause(asker(), "102", AFTER)
        await floor.tell("102 off, 7 hangs up")
        await seen(floor, "102", pause_wanted=False)

    assert floor.pbx.calls == []


async def test_a_pause_that_came_due_while_nothing_ran_is_made_up_for(floor):
    await floor.actions.pausing.pause(asker(), "102", AFTER)
    await floor.tell("7 hangs up")
    async with watching(floor):
        await seen(floor, "102", status="pause")

    assert floor.pbx.calls == [("pause", "102")]


async def test_a_pause_after_the_call_must_be_in_the_audit_first(floor, monkeypatch):
    async def full(*_: object) -> int:
        raise DatabaseUnavailable("the disk is full")

    monkeypatch.setattr(floor.audit, "done", full)
    outcome = await floor.actions.pausing.pause(asker(), "102", AFTER)

    assert outcome.status == 503
    assert not (await floor.card("102")).pause_wanted


async def test_hanging_up_ends_a_listening_by_itself(floor):
    async with watching(floor):
        wish = SpyWish("7", SpyMode.LISTEN, "102", "Training")
        await floor.actions.listening.start(asker(), wish)
        await seen(floor, "102", listeners=(("Ann", "listen", floor.now),))
        await floor.tell("200 ring, 200 on")
        assert (await floor.card("102")).listeners

        floor.pass_s(5)
        await floor.tell("200 talk, 200 on")
        await seen(floor, "102", listeners=())

    # The report of the first second may have been older than the ring: it ended nothing.
    ended = [record.at for record in await logged(floor) if isinstance(record.event, ListenEnded)]
    assert ended == [MONDAY + 5000]


async def logged(floor):
    """All that is in the log."""
    batches = floor.log.follow()
    return list(await anext(batches))
