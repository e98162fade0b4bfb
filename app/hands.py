"""What reaches out of the board, and so is done by one node alone: asking the PBX, telling alarms.

One process is always that node. Of several, a site's owner is; the others ask it through the log.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.actions.aftermath import Aftermath
from app.actions.desk import Desk
from app.alerting import Notifier, set_first_rules
from app.commanding import CommandingPbx, Executor
from app.ground import Ground
from app.log import EventLog
from app.ownership import OwnersLog, SiteOwnership, run_while_owned
from app.pbx import Pbx
from app.pbx.unconfigured import UnconfiguredPbx
from app.projector import Projector
from app.reconciler import Reconciler

Loops = dict[str, Callable[[], Coroutine[Any, Any, None]]]


@dataclass(frozen=True, slots=True)
class OwnHands:
    """Of the only process there is. `pbx` does what is asked, `log` is for who owns the site."""

    pbx: Pbx
    log: EventLog
    projector: Projector

    async def loops(
        self, reconciler: Reconciler, desk: Desk, notifier: Notifier, stack: AsyncExitStack
    ) -> Loops:
        """What is to run."""
        await set_first_rules(self.log, self.projector)
        return {
            "reconciler": reconciler.run,
            "aftermath": Aftermath(desk).run,
            "notifier": notifier.run,
        }


@dataclass(frozen=True, slots=True)
class OwnersHands:
    """Of one node of several. `real` is the PBX itself, which the owner asks."""

    pbx: Pbx
    log: OwnersLog
    projector: Projector
    real: Pbx
    ownership: SiteOwnership
    clock: Callable[[], int]

    async def loops(
        self, reconciler: Reconciler, desk: Desk, notifier: Notifier, stack: AsyncExitStack
    ) -> Loops:
        """What is to run on every node: most of it rests until the site is ours."""
        by_itself = self._by_itself(stack)
        owners = desk.owners(by_itself, self.log)
        stack.push_async_callback(owners.deeds.settle)
        executor = Executor(
            self.real, self.log, self.projector, self.ownership, self.clock, reconciler.doubt
        )
        resting: Loops = {
            "rules": self._set_rules,
            "reconciler": reconciler.run,
            "aftermath": Aftermath(owners).run,
            "notifier": notifier.run,
            "executor": executor.run,
        }
        waking = {
            name: partial(run_while_owned, self.ownership, loop) for name, loop in resting.items()
        }
        return {"ownership": self.ownership.run, **waking}

    def _by_itself(self, stack: AsyncExitStack) -> Pbx:
        """What the owner does by itself goes the way of commands too, in its name."""
        if isinstance(self.real, UnconfiguredPbx):
            return self.real
        asking = CommandingPbx(self.real, self.log, self.projector)
        stack.push_async_callback(asking.close)
        return asking

    async def _set_rules(self) -> None:
        await set_first_rules(self.log, self.projector)
        await asyncio.Event().wait()


def hands_of(
    ground: Ground,
    site: str,
    log: EventLog,
    projector: Projector,
    pbx: Pbx,
    clock: Callable[[], int],
    stack: AsyncExitStack,
) -> OwnHands | OwnersHands:
    """The site's hands. `pbx` is the real one, closed by whoever opened it."""
    if not ground.node:
        return OwnHands(pbx, log, projector)
    ownership = SiteOwnership(ground.ownership(site), log, projector, ground.node)
    asked = pbx
    if not isinstance(pbx, UnconfiguredPbx):
        asked = asking = CommandingPbx(pbx, log, projector)
        stack.push_async_callback(asking.close)
    return OwnersHands(asked, OwnersLog(log, ownership), projector, pbx, ownership, clock)
