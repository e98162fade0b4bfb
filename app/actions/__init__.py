"""Everything a supervisor can do to the floor, put together from its parts."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from app.actions.calling import Calling
from app.actions.deeds import Deeds
from app.actions.desk import Desk, Policy, Watched
from app.actions.dial_rules import DialRates
from app.actions.listening import Listening
from app.actions.pausing import Pausing
from app.actions.several import Several
from app.audit import Audit
from app.log import EventLog
from app.pbx import Pbx

__all__ = ["Actions", "Policy"]


@dataclass(frozen=True, slots=True)
class Actions:
    """The use cases. Each checks, records, asks the PBX at most once, and answers within 6 s."""

    desk: Desk
    listening: Listening
    pausing: Pausing
    several: Several
    calling: Calling

    @classmethod
    def over(cls, desk: Desk) -> "Actions":
        pausing = Pausing(desk)
        several = Several(pausing, desk.monotonic)
        return cls(desk, Listening(desk), pausing, several, Calling(desk))

    def governed(self, policy: Policy) -> "Actions":
        """The same actions, by what the centre decided."""
        return Actions.over(replace(self.desk, policy=policy))

    async def close(self) -> None:
        """Wait for what is under way, so that every intent gets its result."""
        await self.desk.deeds.settle()


def open_actions(
    pbx: Pbx,
    audit: Audit,
    log: EventLog,
    watched: Watched,
    clock: Callable[[], int],
    monotonic: Callable[[], float],
    doubt: Callable[[str], None] = lambda extension: None,
) -> Actions:
    """Actions over these parts. `clock`: ms since the epoch; `monotonic`: seconds.

    `doubt` is told of agents whose state at the PBX is unknown after an action.
    """
    deeds, rates = Deeds(audit, log, monotonic), DialRates(monotonic)
    desk = Desk(pbx, audit, log, watched, deeds, rates, clock, monotonic, doubt=doubt)
    return Actions.over(desk)
