"""Listening, whispering, barging in: from the click to what everybody sees on the card."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from app.actions.deeds import Kind, Order, Outcome
from app.actions.desk import NO_EXTENSION, Asker, Desk, deed_on, invalid
from app.actions.targets import NoTarget, called, direction_of, spy_target
from app.audit import Deed
from app.database import DatabaseUnavailable
from app.domain.events import Event, ListenEnded, ListenStarted
from app.domain.states import Status
from app.log import LogUnavailable
from app.pbx import PbxError, SpyMode
from app.rights import Right, Target
from app.sentences import Sentence, wording

LOOK_S = 2.0

DONE = {
    SpyMode.LISTEN: Sentence("Your phone {own} rings: then you hear {agent}. Nobody hears you."),
    SpyMode.WHISPER: Sentence(
        "Your phone {own} rings: then you speak to {agent}; the customer hears nothing."
    ),
    SpyMode.BARGE: Sentence("Your phone {own} rings: then {agent} and the customer both hear you."),
    SpyMode.CUSTOMER: Sentence(
        "Your phone {own} rings: then you speak to the customer, unheard by {agent}."
    ),
}
ENDED = Sentence(
    "You are no longer shown as listening. If your phone is still off the hook, hang it up."
)


@dataclass(frozen=True, slots=True)
class SpyWish:
    """What was clicked. `extension` says which agent, where several talk in the call."""

    callid: str
    mode: SpyMode
    extension: str = ""
    reason: str = ""


class Listening:
    """The use cases around a supervisor in somebody's call."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def start(self, asker: Asker, wish: SpyWish) -> Outcome:
        """Ring the asker's phone and connect it to the call; or switch the mode of a live one."""
        desk, mode = self._desk, wish.mode.value
        deed = Deed(mode, mode, wish.extension, callid=wish.callid, reason=wish.reason)
        if not asker.principal.extension:
            return await desk.refuse(asker, deed, 409, NO_EXTENSION)
        try:
            target = spy_target(desk.state, wish.callid, wish.extension)
        except NoTarget as problem:
            return await desk.refuse(asker, deed, problem.status, wording(problem))
        deed = deed_on(mode, target, mode, wish.reason)
        if no := await desk.forbidden(asker, Right(mode), target, deed):
            return no
        if self._needs_reason(asker, wish, target):
            return invalid(Sentence("Say why you listen: choose a reason."))
        return await desk.deeds.carry_out(self._order(asker, wish, target))

    async def end(self, asker: Asker, extension: str) -> Outcome:
        """Stop showing the asker as a listener. The PBX has no call for it: a phone is hung up.

        While that phone still talks the listening goes on, and so it stays on the card.
        """
        deed = Deed("listen ended", extension=extension)
        if extension not in self._where(asker):
            return await self._desk.refuse(
                asker, deed, 409, Sentence("You are not shown as listening there.")
            )
        if await self._still_talks(asker.principal.extension):
            why = Sentence(
                "Your phone is still in a call: hang it up first. The board can't do that for you."
            )
            return await self._desk.refuse(asker, deed, 409, why)
        try:
            await self._desk.audit.done(asker.actor, deed)
            await self._desk.log.append([ListenEnded(supervisor=asker.name, extension=extension)])
        except (DatabaseUnavailable, LogUnavailable):
            return Outcome(
                Kind.FAILED,
                Sentence("It could not be stored. Is the disk full, or the cluster away?"),
                503,
            )
        return Outcome(Kind.DONE, ENDED)

    async def _still_talks(self, phone: str) -> bool:
        try:
            async with asyncio.timeout(LOOK_S):
                states = await self._desk.pbx.phones([phone])
        except (PbxError, TimeoutError):
            return False
        return any(each.extension == phone and each.status is Status.TALK for each in states)

    def _needs_reason(self, asker: Asker, wish: SpyWish, target: Target) -> bool:
        """Switching the mode of a live one needs no second reason."""
        if wish.reason or not self._desk.policy.reason_to_listen:
            return False
        return not any(
            one.supervisor == asker.name and one.callid == wish.callid
            for one in self._desk.state.agents[target.extension].listeners
        )

    def _where(self, asker: Asker) -> Iterator[str]:
        """The agents to whom the asker is shown to listen."""
        for extension, agent in self._desk.state.agents.items():
            if any(one.supervisor == asker.name for one in agent.listeners):
                yield extension

    def _order(self, asker: Asker, wish: SpyWish, target: Target) -> Order:
        own, mode = asker.principal.extension, wish.mode
        # A phone that may ring may soon listen: that is shown as well.
        shown = self._shown(asker, wish, target)
        return Order(
            actor=asker.actor,
            deed=deed_on(mode.value, target, mode.value, wish.reason),
            call=partial(self._desk.pbx.spy, own, target.extension, mode, direction_of(target)),
            # One phone, one listening: whatever else is clicked meanwhile has to wait.
            key=(asker.principal.user_id, "spy"),
            wish=(mode, wish.callid, target.extension),
            done=DONE[mode].filled(own=own, agent=called(target.extension, target.agent_name)),
            shown=shown,
            if_unknown=shown,
        )

    def _shown(self, asker: Asker, wish: SpyWish, target: Target) -> list[Event]:
        elsewhere = (extension for extension in self._where(asker) if extension != target.extension)
        ended: list[Event] = [
            ListenEnded(supervisor=asker.name, extension=extension, reason="went elsewhere")
            for extension in elsewhere
        ]
        started = ListenStarted(
            supervisor=asker.name,
            extension=target.extension,
            callid=wish.callid,
            mode=wish.mode.value,
            phone=asker.principal.extension,
        )
        return [*ended, started]
