"""An answer in time: also where what was clicked only waits for the disk."""

import asyncio

import pytest

from app.actions.deeds import Kind, Outcome
from app.actions.promptly import promptly
from tests.acting_site import OURS, open_site

pytestmark = pytest.mark.anyio


async def answer_after(event: asyncio.Event, done: list[str]) -> Outcome:
    await event.wait()
    done.append("done")
    return Outcome(Kind.DONE, "Done.")


async def test_what_is_ready_in_time_is_the_answer():
    event = asyncio.Event()
    event.set()

    assert (await promptly(answer_after(event, []))).sentence == "Done."


async def test_what_takes_longer_is_unknown_and_goes_on():
    event, done = asyncio.Event(), list[str]()
    outcome = await promptly(answer_after(event, done), 0.01)

    assert (outcome.kind, outcome.status, done) == (Kind.UNKNOWN, 504, [])
    event.set()
    await asyncio.sleep(0.01)
    assert done == ["done"]


async def test_a_late_failure_is_said_in_the_log(caplog):
    async def fails() -> Outcome:
        await asyncio.sleep(0.02)
        raise OSError("no disk")

    await promptly(fails(), 0.01)
    await asyncio.sleep(0.03)

    assert "no disk" in caplog.text


async def test_a_refusal_that_can_not_be_written_down_keeps_nobody_waiting(monkeypatch):
    monkeypatch.setattr(promptly, "__defaults__", (0.2,))
    async with open_site() as site:
        ann = await site.supervisor()
        free = asyncio.Event()
        holding = asyncio.create_task(site.database.write(lambda _: free.wait()))
        await asyncio.sleep(0)
        answer = await ann.post("/actions/pause", data={"extension": "999"}, headers=OURS)
        free.set()
        await holding
        denied = (await site.audited())[0]

    assert answer.status_code == 504
    assert "no result yet" in answer.text
    assert (denied.kind, denied.action) == ("denied", "pause")
