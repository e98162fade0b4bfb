"""Calls for a supervisor: their own phone rings first, then whom they want to speak to."""

from collections.abc import Sequence
from dataclasses import replace

from app.actions.deeds import Order, Outcome
from app.actions.desk import NO_EXTENSION, Asker, Desk, deed_on
from app.actions.dial_rules import plain_number
from app.actions.targets import NoTarget, abandon_target, agent_target, called
from app.audit import Deed
from app.domain.events import CallBackPlaced, Event
from app.rights import OWN_TELEPHONE, Right, Target
from app.sentences import Sentence, wording

NOT_ALLOWED = Sentence("Numbers like this one may not be dialled from here.")
NO_NUMBER = Sentence(
    "That is not a telephone number: 3 to 20 digits, with or without a + before them."
)
NOT_YOURS = Sentence("A call starts from your own phone, the one in your account.")
THEN_AGENT = Sentence("Your phone {own} rings; then {agent} is called.")
THEN_NUMBER = Sentence("Your phone {own} rings; then the number is called.")
THEN_CALLER = Sentence("Your phone {own} rings; then the caller is called back.")


class Calling:
    """The use cases around click-to-call."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def agent(self, asker: Asker, extension: str) -> Outcome:
        """Call an agent."""
        deed = Deed("call", extension=extension)
        if no := await self._may_not(asker, deed):
            return no
        try:
            target = agent_target(self._desk.state, extension)
        except NoTarget as problem:
            return await self._desk.refuse(asker, deed, problem.status, wording(problem))
        if extension == asker.principal.extension:
            return await self._desk.refuse(asker, deed, 409, OWN_TELEPHONE)
        who = called(extension, target.agent_name)
        done = THEN_AGENT.filled(own=asker.principal.extension, agent=who)
        return await self._place(asker, target, extension, done)

    async def number(self, asker: Asker, phone: str, own: str = "") -> Outcome:
        """Call a number; `own`, where it was given, must be the asker's own extension."""
        target = Target(phone=plain_number(phone))
        deed = deed_on("call", target)
        if no := await self._may_not(asker, deed):
            return no
        if not target.phone:
            return await self._desk.refuse(asker, deed, 422, NO_NUMBER)
        if not self._desk.policy.dial.allow(target.phone):
            return await self._desk.refuse(asker, deed, 403, NOT_ALLOWED)
        if own and own != asker.principal.extension:
            return await self._desk.refuse(asker, deed, 403, NOT_YOURS)
        done = THEN_NUMBER.filled(own=asker.principal.extension)
        return await self._place(asker, target, target.phone, done)

    async def back(self, asker: Asker, callid: str, known: Target | None = None) -> Outcome:
        """Call back somebody who gave up. A caller may have sent any number as their own.

        `known`: the caller, where the worklist has them; else today's list on the floor is asked.
        """
        deed = Deed("call back", callid=callid)
        if no := await self._may_not(asker, deed):
            return no
        try:
            target = known or abandon_target(self._desk.state, callid)
        except NoTarget as problem:
            return await self._desk.refuse(asker, deed, problem.status, wording(problem))
        number = plain_number(target.phone)
        if not number or not self._desk.policy.dial.allow(number):
            why = NOT_ALLOWED if number else NO_NUMBER
            return await self._desk.refuse(asker, deed_on("call back", target), 403, why)
        placed = CallBackPlaced(callid=callid, by=asker.name)
        done = THEN_CALLER.filled(own=asker.principal.extension)
        return await self._place(asker, target, number, done, [placed])

    async def _may_not(self, asker: Asker, deed: Deed) -> Outcome | None:
        """What stands against any call of theirs, whomever they want to call."""
        if wait := self._desk.rates.wait_s(asker.principal.user_id):
            why = Sentence("Too many calls in a short time. Try again in {wait} s.", wait=wait)
            refused = await self._desk.refuse(asker, deed, 429, why)
            return replace(refused, retry_s=wait)
        if not asker.principal.extension:
            return await self._desk.refuse(asker, deed, 409, NO_EXTENSION)
        return None

    async def _place(
        self,
        asker: Asker,
        target: Target,
        number: str,
        done: Sentence,
        shown: Sequence[Event] = (),
    ) -> Outcome:
        deed = deed_on("call back" if shown else "call", target)
        if no := await self._desk.forbidden(asker, Right.CALL, target, deed):
            return no
        own = asker.principal.extension

        async def dial() -> None:
            self._desk.rates.dialled()
            await self._desk.pbx.dial(own, number)

        return await self._desk.deeds.carry_out(
            Order(
                actor=asker.actor,
                deed=deed,
                call=dial,
                key=(asker.principal.user_id, "dial"),
                wish=(number, target.callid),
                done=done,
                shown=shown,
            )
        )
