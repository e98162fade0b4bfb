"""Pausing an agent and letting them go on: now, or after the call they are in."""

from dataclasses import dataclass, replace
from functools import partial

from app.actions.deeds import Kind, Order, Outcome
from app.actions.desk import Asker, Desk, deed_on
from app.actions.targets import NoTarget, agent_target, called, called_first
from app.audit import Deed
from app.database import DatabaseUnavailable
from app.domain.events import Event, PauseNoted, PauseWanted
from app.domain.states import Status
from app.log import LogUnavailable
from app.rights import Right, Target
from app.sentences import Sentence, wording

PAUSED = Sentence("{agent} is paused.")
BACK = Sentence("{agent} is back.")
PAUSE_UNREPORTED = Sentence("The PBX accepted it, but has not reported {agent} as paused yet.")
BACK_UNREPORTED = Sentence("The PBX accepted it, but has not reported {agent} as back yet.")


@dataclass(frozen=True, slots=True)
class PauseWish:
    """Why and until when (ms since the epoch, None: open), and whether a call may end first.

    `planned` is the end as it was asked for: a second click says it alike, a moment later.
    """

    reason: str = ""
    until: int | None = None
    after_call: bool = False
    planned: str = ""


class Pausing:
    """The use cases around pauses."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def pause(self, asker: Asker, extension: str, wish: PauseWish) -> Outcome:
        """Take an agent out of the queues; with `after_call`, when the present call is over."""
        began = self._desk.monotonic()
        return await self.confirmed(await self.ask_to_pause(asker, extension, wish), True, began)

    async def resume(self, asker: Asker, extension: str) -> Outcome:
        """Put an agent back into the queues, or take back a pause that was to come."""
        began = self._desk.monotonic()
        return await self.confirmed(await self.ask_to_resume(asker, extension), False, began)

    async def ask_to_pause(self, asker: Asker, extension: str, wish: PauseWish) -> Outcome:
        """As `pause`, without waiting for the PBX's report."""
        target = await self._target(asker, extension, "pause", wish.reason)
        if isinstance(target, Outcome):
            return target
        agent = self._desk.state.agents[extension]
        if wish.after_call and agent.status in {Status.TALK, Status.RING}:
            return await self._later(asker, target, wish)
        noted = PauseNoted(
            extension=extension, reason=wish.reason, until=wish.until, by=asker.name, paused=True
        )
        no_more = [PauseWanted(extension=extension, wanted=False)] if agent.pause_wanted else []
        return await self._set(asker, target, noted, *no_more, planned=wish.planned)

    async def ask_to_resume(self, asker: Asker, extension: str) -> Outcome:
        """As `resume`, without waiting for the PBX's report."""
        target = await self._target(asker, extension, "resume")
        if isinstance(target, Outcome):
            return target
        agent = self._desk.state.agents[extension]
        cancel = PauseWanted(extension=extension, wanted=False)
        if agent.pause_wanted and agent.mode is not Status.PAUSE:
            deed = deed_on("resume", target)
            name = called(extension, target.agent_name)
            none = Sentence("No pause for {agent} after this call.", agent=name)
            return await self._note(asker, deed, cancel, none)
        noted = PauseNoted(extension=extension, by=asker.name, paused=False)
        return await self._set(asker, target, noted)

    async def _target(
        self, asker: Asker, extension: str, action: str, reason: str = ""
    ) -> Target | Outcome:
        try:
            target = agent_target(self._desk.state, extension)
        except NoTarget as problem:
            deed = Deed(action, extension=extension, reason=reason)
            return await self._desk.refuse(asker, deed, problem.status, wording(problem))
        deed = deed_on(action, target, reason=reason)
        return await self._desk.forbidden(asker, Right.PAUSE, target, deed) or target

    async def _later(self, asker: Asker, target: Target, wish: PauseWish) -> Outcome:
        deed = deed_on("pause after call", target, reason=wish.reason)
        event = PauseWanted(
            extension=target.extension, reason=wish.reason, until=wish.until, by=asker.name
        )
        name = called_first(target.extension, target.agent_name)
        will = Sentence("{agent} will be paused after this call.", agent=name)
        return await self._note(asker, deed, event, will)

    async def _note(self, asker: Asker, deed: Deed, event: Event, sentence: str) -> Outcome:
        """Something only the board keeps: in the audit, then on the floor."""
        try:
            await self._desk.audit.done(asker.actor, deed)
            await self._desk.log.append([event])
        except (DatabaseUnavailable, LogUnavailable):
            return Outcome(
                Kind.FAILED,
                Sentence("It could not be stored. Is the disk full, or the cluster away?"),
                503,
            )
        return Outcome(Kind.DONE, sentence)

    async def _set(
        self, asker: Asker, target: Target, noted: PauseNoted, *more: Event, planned: str = ""
    ) -> Outcome:
        extension, paused = target.extension, bool(noted.paused)
        name, done = called_first(extension, target.agent_name), PAUSED if paused else BACK
        outcome = await self._desk.deeds.carry_out(
            Order(
                actor=asker.actor,
                deed=deed_on("pause" if paused else "resume", target, reason=noted.reason),
                call=partial(self._desk.pbx.pause, extension, paused),
                key=(asker.principal.user_id, "pause", extension),
                wish=(paused, noted.reason, planned),
                done=done.filled(agent=name),
                shown=[noted, *more],
                # Without an answer the reason is kept, for the pause that may have begun.
                if_unknown=[replace(noted, paused=None)] if paused else (),
            )
        )
        if outcome.kind is Kind.UNKNOWN:
            self._desk.doubt(extension)
        return replace(outcome, extension=extension)

    async def confirmed(self, outcome: Outcome, paused: bool, began: float) -> Outcome:
        """Done is what the PBX reports, not what it promises. `began`: when the click came in."""
        if outcome.kind is not Kind.DONE or not outcome.extension:
            return outcome
        agent = self._desk.state.agents[outcome.extension]
        if await self._desk.reported(lambda: (agent.mode is Status.PAUSE) is paused, began):
            return outcome
        self._desk.doubt(outcome.extension)
        sentence = PAUSE_UNREPORTED if paused else BACK_UNREPORTED
        sentence = sentence.filled(agent=called(agent.extension, agent.name))
        return replace(outcome, kind=Kind.ASKED, status=202, sentence=sentence)
