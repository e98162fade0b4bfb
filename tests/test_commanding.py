"""Commands by the owner: one wish, at most one call of the PBX, and always an answer in words."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from app.commanding import CommandingPbx
from app.domain.commands import MOST
from app.domain.events import (
    CommandClaimed,
    CommandRequested,
    CommandResult,
    CommandWithdrawn,
    OwnershipTaken,
)
from app.domain.states import Direction
from app.log import LogUnavailable
from app.pbx import Pbx, PbxError, PhoneState, SpyMode
from app.sentences import Sentence, wording
from tests.owning import ANSWER_S, Local, until, world

PAUSE = ("pause", "101")
RESUME = ("resume", "101")
SPY = ("spy", "200", "101", "listen", "inbound")


def spy(node: Local) -> Awaitable[None]:
    return node.asking.spy("200", "101", SpyMode.LISTEN, Direction.INBOUND)


def pause(node: Local) -> Awaitable[None]:
    return node.asking.pause("101", True)


async def problem(asked: Awaitable[None]) -> PbxError:
    with pytest.raises(PbxError) as caught:
        await asked
    return caught.value


@pytest.mark.anyio
async def test_any_node_asks_and_the_owner_does_it_once() -> None:
    async with world() as here:
        owner, other = await here.node("a"), await here.node("b")
        await owner.owns()
        await asyncio.gather(pause(other), spy(other), other.asking.dial("200", "0938"))
        await owner.asking.pause("101", False)

        assert sorted(here.pbx.calls) == sorted([PAUSE, SPY, ("dial", "200", "0938"), RESUME])
        assert all(each.conclusion and each.conclusion.done for each in other.commands)
        assert owner.doubted == ["101", "101"]


@pytest.mark.anyio
async def test_what_goes_into_the_log_is_what_is_needed_and_no_more() -> None:
    async with world() as here:
        owner = await here.node("a")
        await owner.owns()
        await spy(owner)
        events = await here.stored()
        name = events[1].command

        assert events == [
            OwnershipTaken(epoch=3, holder="a"),
            CommandRequested(
                command=name,
                action="spy",
                agent="101",
                supervisor="200",
                mode="listen",
                direction="inbound",
            ),
            CommandClaimed(command=name, epoch=3),
            CommandResult(command=name, done=True, epoch=3),
        ]


@pytest.mark.anyio
async def test_questions_go_to_the_pbx_itself() -> None:
    async with world() as here:
        node = await here.node("a")
        here.pbx.states = [PhoneState("101")]

        assert await node.asking.phones(["101"]) == [PhoneState("101")]
        assert await node.asking.members() == []
        assert await here.stored() == [] or here.log.last_seq == 1


@pytest.mark.anyio
async def test_a_request_that_comes_twice_is_done_once() -> None:
    async with world() as here:
        nodes = [await here.node("a"), await here.node("b")]
        await nodes[0].owns()
        for node in nodes:
            node.asking._new_name = lambda: "click-1"
        await asyncio.gather(spy(nodes[0]), spy(nodes[1]), spy(nodes[1]))

        assert here.pbx.calls == [SPY]


@pytest.mark.anyio
async def test_the_pbx_refusal_comes_back_in_its_words_and_can_be_translated() -> None:
    async with world() as here:
        owner, other = await here.node("a"), await here.node("b")
        await owner.owns()
        words = Sentence("The PBX refused{status}: “{words}”.", status=" (HTTP 403)", words="Nein")
        here.pbx.fails["101"] = PbxError("refused", words)
        error = await problem(pause(other))

        assert (error.kind, error.unknown, str(error)) == ("refused", False, words)
        said = wording(error)
        assert isinstance(said, Sentence)
        german = {"The PBX refused{status}: “{words}”.": "Abgelehnt{status}: „{words}“."}
        assert said.said(lambda text: german.get(text, text)) == "Abgelehnt (HTTP 403): „Nein“."


@pytest.mark.anyio
async def test_what_the_pbx_may_have_done_stays_unknown() -> None:
    async with world() as here:
        owner = await here.node("a")
        await owner.owns()
        here.pbx.fails["200"] = PbxError("timeout", "No answer.", unknown=True)
        error = await problem(spy(owner))

        assert (error.kind, error.unknown, str(error)) == ("timeout", True, "No answer.")


@pytest.mark.anyio
async def test_without_an_owner_it_is_refused_in_words_and_never_done() -> None:
    async with world() as here:
        here.leases.wanted = "nobody"
        node = await here.node("a")
        error = await problem(spy(node))
        assert (error.kind, error.unknown) == ("unreachable", False)
        assert "nothing was done" in str(error)

        here.leases.hand_to("a")
        await node.owns()
        await pause(node)
        assert here.pbx.calls == [PAUSE]


@pytest.mark.anyio
async def test_an_owner_that_comes_a_little_later_is_waited_for() -> None:
    async with world() as here:
        here.leases.wanted = "nobody"
        node = await here.node("a")
        asked = asyncio.ensure_future(spy(node))
        await until(lambda: node.commands)
        here.leases.hand_to("a")
        await asked

        assert here.pbx.calls == [SPY]


@pytest.mark.anyio
async def test_a_pbx_that_takes_too_long_is_an_unknown_end_and_asked_once() -> None:
    async with world() as here:
        owner, other = await here.node("a"), await here.node("b")
        await owner.owns()
        here.pbx.waits_s = ANSWER_S + 0.4
        error = await problem(spy(other))
        assert (error.kind, error.unknown) == ("timeout", True)

        # The withdrawal that followed was too late, and what really happened is known in the end.
        await until(lambda: other.commands[0].conclusion)
        assert other.commands[0].conclusion is not None
        assert other.commands[0].conclusion.done
        assert here.pbx.calls == [SPY]


@pytest.mark.anyio
async def test_a_log_that_stores_nothing_is_said_so() -> None:
    async with world() as here:
        node = await here.node("a")
        node.gate.speaks.clear()
        error = await problem(spy(node))
        assert (error.kind, error.unknown) == ("timeout", True)

        # What is stored in the end, when nobody waits any more, was taken back.
        node.gate.speaks.set()
        await node.owns()
        await until(lambda: here.log.last_seq >= 3)
        assert here.pbx.calls == []


@pytest.mark.anyio
async def test_a_log_that_is_known_to_store_nothing_is_not_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with world() as here:
        node = await here.node("a")
        await node.owns()
        monkeypatch.setattr(type(here.log), "failure", "no servers")
        error = await problem(spy(node))

        assert (error.kind, error.unknown, here.log.last_seq) == ("unreachable", False, 1)


@pytest.mark.anyio
async def test_too_much_at_once_is_refused() -> None:
    async with world() as here:
        node = await here.node("a")
        await node.owns()
        old = [CommandRequested(command=str(number), action="?") for number in range(MOST)]
        await here.log.append([*old, *(CommandWithdrawn(command=one.command) for one in old)])
        await node.projector.wait_for(here.log.last_seq)
        error = await problem(spy(node))

        assert (error.kind, error.unknown, here.pbx.calls) == ("busy", False, [])


@pytest.mark.anyio
async def test_what_this_version_does_not_know_is_not_done() -> None:
    async with world() as here:
        node = await here.node("a")
        await node.owns()
        await here.log.append(
            [
                CommandRequested(command="1", action="dance"),
                CommandRequested(command="2", action="spy", mode="sing"),
            ]
        )
        await until(
            lambda: len(node.commands) == 2 and all(one.conclusion for one in node.commands)
        )

        assert [one.conclusion and one.conclusion.kind for one in node.commands] == ["strange"] * 2


@pytest.mark.anyio
async def test_a_pbx_that_asks_is_a_pbx(monkeypatch: pytest.MonkeyPatch) -> None:
    async with world() as here:
        node = await here.node("a")
        asking: Pbx = node.asking
        assert isinstance(asking, CommandingPbx)
        await node.owns()

        async def refuse(events: Any, rid: str | None = None) -> int:
            raise LogUnavailable("Too much waits.")

        monkeypatch.setattr(node.gate, "append", refuse)
        error = await problem(asking.pause("101", True))
        assert (error.kind, error.unknown) == ("timeout", True)
