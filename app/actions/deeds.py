"""One deed: the intent on disk, then the PBX, then the result, then the event that all see.

No row in the audit, no call to the PBX. The person gets an answer within six seconds whatever
happens; what takes longer is finished, and recorded, without them.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from app.actions.single_flight import SingleFlight, StillBusy
from app.audit import Actor, Audit, Deed
from app.database import DatabaseUnavailable
from app.domain.events import Event
from app.log import EventLog, LogUnavailable
from app.pbx import PbxError
from app.sentences import Sentence, joined, wording

# An answer within 6 s means that all of it is ready a little before.
ANSWER_S = 5.8
PBX_S = 5.4

STATUSES = {"timeout": 504, "busy": 503, "unconfigured": 503}

NO_RESULT = Sentence("There is no result yet, so it is unknown. The audit will have it.")
UNSEEN = Sentence("But the board can't show it: nothing can be stored.")

logger = logging.getLogger(__name__)


class Kind(StrEnum):
    """How it ended. `unknown`: the PBX may have done it all the same.

    `asked`: the PBX accepted it, but has not reported that it happened.
    """

    DONE = "done"
    ASKED = "asked"
    FAILED = "failed"
    UNKNOWN = "unknown"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to one click: a sentence for the person, and the HTTP status that fits it.

    `parts` are the outcomes of several, by extension; `extension` whose PBX state was to change.
    """

    kind: Kind
    sentence: str
    status: int = 200
    retry_s: int = 0
    parts: tuple[tuple[str, "Outcome"], ...] = ()
    extension: str = ""

    @property
    def ok(self) -> bool:
        return self.kind in {Kind.DONE, Kind.ASKED}


@dataclass(frozen=True, slots=True)
class Order:
    """What to do. `key` and `wish` as in SingleFlight; `shown` are the events of success.

    `if_unknown` are those to append when the PBX may have done it.
    """

    actor: Actor
    deed: Deed
    call: Callable[[], Awaitable[None]]
    key: Hashable
    wish: Hashable
    done: str
    shown: Sequence[Event] = field(default_factory=tuple)
    if_unknown: Sequence[Event] = field(default_factory=tuple)


class Deeds:
    """Carries orders out, one at a time per key. `monotonic` gives seconds."""

    def __init__(self, audit: Audit, log: EventLog, monotonic: Callable[[], float]) -> None:
        self._audit = audit
        self._log = log
        self._flights = SingleFlight[Outcome](
            monotonic, lambda outcome: outcome.kind in {Kind.DONE, Kind.UNKNOWN}
        )

    async def carry_out(self, order: Order) -> Outcome:
        """Do it, or give the answer of the click just before. Never raises for want of a PBX."""
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._flights.run(order.key, order.wish, lambda: self._do(order))
        except StillBusy:
            return Outcome(
                Kind.REFUSED, Sentence("Your click before this one is still being done."), 409
            )
        except TimeoutError:
            return Outcome(Kind.UNKNOWN, NO_RESULT, 504)

    async def settle(self) -> None:
        """Wait for what is under way, so that every intent gets its result."""
        await self._flights.settle()

    async def _do(self, order: Order) -> Outcome:
        try:
            intent = await self._audit.intent(order.actor, order.deed)
        except DatabaseUnavailable as error:
            logger.error("Nothing was done, for want of an audit row: %s", error)
            sentence = Sentence(
                "Nothing was done: it could not be audited. Is the disk full, or the cluster away?"
            )
            return Outcome(Kind.FAILED, sentence, 503)
        outcome = await self._ask(order)
        await self._conclude(intent, outcome)
        events = {Kind.DONE: order.shown, Kind.UNKNOWN: order.if_unknown}.get(outcome.kind, ())
        return await self._show(outcome, events)

    async def _ask(self, order: Order) -> Outcome:
        try:
            async with asyncio.timeout(PBX_S):
                await order.call()
        except PbxError as error:
            kind = Kind.UNKNOWN if error.unknown else Kind.FAILED
            return Outcome(kind, wording(error), STATUSES.get(error.kind, 502))
        except TimeoutError:
            sentence = Sentence("The PBX did not answer in time; whether it did it is unknown.")
            return Outcome(Kind.UNKNOWN, sentence, 504)
        return Outcome(Kind.DONE, order.done)

    async def _conclude(self, intent: int, outcome: Outcome) -> None:
        said = "done" if outcome.ok else f"{outcome.kind.value}: {outcome.sentence}"
        try:
            await self._audit.result(intent, said)
        except DatabaseUnavailable as error:
            logger.error("The audit has an intent (%d) without its result: %s", intent, error)

    async def _show(self, outcome: Outcome, events: Sequence[Event]) -> Outcome:
        try:
            if events:
                await self._log.append(events)
        except LogUnavailable as error:
            logger.error("The board can't show what was done: %s", error)
            sentence = joined(" ", [outcome.sentence, UNSEEN])
            return Outcome(outcome.kind, sentence, outcome.status)
        return outcome
