"""What every supervisor's action shares: who asks, the floor to look at, refusing with a record."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from app.actions.deeds import ANSWER_S, Deeds, Kind, Outcome
from app.actions.dial_rules import DialRates, DialRules
from app.audit import Actor, Audit, Deed
from app.database import DatabaseUnavailable
from app.domain.floor import Floor
from app.domain.model import FloorState
from app.log import EventLog
from app.pbx import Pbx
from app.rights import Principal, Right, Target, refusal
from app.sentences import Sentence

LONGEST_REASON = 200
LISTEN_REASONS = (
    Sentence("Training"),
    Sentence("Quality"),
    Sentence("Agent asked for help"),
    Sentence("Complaint"),
    Sentence("Other"),
)
PAUSE_REASONS = (
    Sentence("Break"),
    Sentence("Lunch"),
    Sentence("Meeting"),
    Sentence("Training"),
    Sentence("After-call work"),
    Sentence("Technical problem"),
)
# How long an answer waits for the PBX to report that what it accepted has happened.
REPORT_S = 1.5

NO_EXTENSION = Sentence(
    "Your account has no extension, so the PBX knows no phone to ring. "
    "An administrator sets it on the page of users."
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Policy:
    """What the centre decided: reasons to choose from, whether one must be given, dialling."""

    listen_reasons: tuple[str, ...] = LISTEN_REASONS
    pause_reasons: tuple[str, ...] = PAUSE_REASONS
    reason_to_listen: bool = True
    dial: DialRules = field(default_factory=DialRules)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who clicked: their rights of this moment, and how the audit names them."""

    principal: Principal
    actor: Actor

    @property
    def name(self) -> str:
        return self.principal.name


class Watched(Protocol):
    """The floor and the news of it."""

    @property
    def floor(self) -> Floor: ...
    @property
    def applied(self) -> int: ...
    async def wait_for(self, seq: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Desk:
    """The parts that actions use. `clock`: ms since the epoch; `monotonic`: seconds.

    `doubt` asks the PBX soon what an agent's phone really does.
    """

    pbx: Pbx
    audit: Audit
    log: EventLog
    watched: Watched
    deeds: Deeds
    rates: DialRates
    clock: Callable[[], int]
    monotonic: Callable[[], float]
    policy: Policy = field(default_factory=Policy)
    doubt: Callable[[str], None] = lambda extension: None
    report_s: float = REPORT_S

    @property
    def state(self) -> FloorState:
        return self.watched.floor.state

    def owners(self, pbx: Pbx, log: EventLog) -> "Desk":
        """The desk of the site's owner, for the aftermath: what it does goes by these.

        Settle its `deeds` before the log is closed.
        """
        return replace(self, pbx=pbx, log=log, deeds=Deeds(self.audit, log, self.monotonic))

    async def refuse(self, asker: Asker, deed: Deed, status: int, why: str) -> Outcome:
        """Say no, and note it; the refusal stands even where it can't be written down."""
        try:
            await self.audit.denied(asker.actor, deed, str(why))
        except DatabaseUnavailable as error:
            logger.error("A refusal is not in the audit: %s", error)
        return Outcome(Kind.REFUSED, why, status)

    async def forbidden(
        self, asker: Asker, right: Right, target: Target, deed: Deed
    ) -> Outcome | None:
        """The refusal for want of a right over this target; None when it is allowed."""
        why = refusal(asker.principal, right, target)
        if not why:
            return None
        own = bool(target.extension) and target.extension == asker.principal.extension
        never = target.never_listen or not asker.principal.may(right)
        return await self.refuse(asker, deed, 409 if own and not never else 403, why)

    async def reported(self, condition: Callable[[], bool], began: float) -> bool:
        """Whether the floor shows it, waiting a little for the PBX's report.

        `began` is when the click came in: the whole answer must be ready within six seconds.
        """
        left = min(self.report_s, began + ANSWER_S - self.monotonic())
        try:
            async with asyncio.timeout(max(0.0, left)):
                while not condition():
                    await self.watched.wait_for(self.watched.applied + 1)
        except TimeoutError:
            return condition()
        return True


def deed_on(action: str, target: Target, mode: str = "", reason: str = "") -> Deed:
    """The action and its target as the audit puts them."""
    return Deed(
        action=action,
        mode=mode,
        extension=target.extension,
        agent_name=target.agent_name,
        callid=target.callid,
        queue=target.queue,
        direction=target.direction,
        phone=target.phone,
        reason=reason,
    )


def invalid(sentence: str) -> Outcome:
    """What was asked makes no sense; nothing to record."""
    return Outcome(Kind.REFUSED, sentence, 422)
