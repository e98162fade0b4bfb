"""The owner's hand at the PBX: claims what is asked for, does it once, and says how it ended.

A claim counts when the owner sees it on its floor in its own epoch; until then nothing is done.
What an owner before has claimed and not concluded is not done again, except a pause, which is the
same however often it is set.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from app.domain.command import Command
from app.domain.events import CommandClaimed, CommandResult
from app.domain.states import Direction
from app.log import LogUnavailable
from app.ownership import Ownership, OwnersLog, Watched
from app.pbx import Pbx, PbxError, SpyMode
from app.sentences import packed, wording

# A pause is set again when its owner went away, but not into another state of affairs.
AGAIN_MS = 30_000
SETTLE_S = 8.0
RETRY_S = 0.5
CONCLUDE_TRIES = 20

logger = logging.getLogger(__name__)


class Executor:
    """Runs while the site is owned. `pbx` is the real one; `clock` is the log's (ms).

    `doubt` is told of agents whose pause was asked for: what has the PBX made of it?
    """

    def __init__(
        self,
        pbx: Pbx,
        log: OwnersLog,
        watched: Watched,
        ownership: Ownership,
        clock: Callable[[], int],
        doubt: Callable[[str], None] = lambda extension: None,
    ) -> None:
        self._pbx = pbx
        self._log = log
        self._watched = watched
        self._ownership = ownership
        self._clock = clock
        self._doubt = doubt
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Until cancelled; what was begun is finished then."""
        seen: set[str] = set()
        try:
            while True:
                commands = self._watched.floor.state.commands
                seen &= commands.keys()
                for name in commands.keys() - seen:
                    self._begin(name, commands[name])
                    seen.add(name)
                await self._watched.wait_for(self._watched.applied + 1)
        finally:
            await self._settle()

    def _begin(self, name: str, command: Command) -> None:
        if command.conclusion is None and name not in self._tasks:
            work = self._take_over if command.claimed else self._take_on
            task = asyncio.create_task(work(name, command))
            self._tasks[name] = task
            task.add_done_callback(partial(self._ended, name))

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        self._tasks.pop(name, None)
        if not task.cancelled() and (error := task.exception()):
            logger.error("A command broke off; its asker hears that it is unknown.", exc_info=error)

    async def _settle(self) -> None:
        if self._tasks:
            _, late = await asyncio.wait(self._tasks.values(), timeout=SETTLE_S)
            for task in late:
                task.cancel()

    async def _take_on(self, name: str, command: Command) -> None:
        """Claim it and, where the claim counts, do it."""
        if self._is_late(command):
            # The next tick closes it, on every floor alike.
            return
        try:
            claim = f"claim-{name}-{self._ownership.epoch}"
            await self._watched.wait_for(await self._log.append([_claim(name)], claim))
        except LogUnavailable as reason:
            logger.warning("A command could not be claimed: %s", reason)
            return
        if command.conclusion is None and command.claimed == self._ownership.epoch:
            await self._do(name, command)

    async def _take_over(self, name: str, command: Command) -> None:
        """An owner that is gone has claimed it: did it do it? Nobody knows."""
        if self._may_repeat(command):
            await self._do(name, command)
        else:
            result = CommandResult(command=name, kind="orphaned", unknown=True)
            await self._conclude(result, command)

    def _may_repeat(self, command: Command) -> bool:
        """A pause of a moment ago, if nobody has wanted something else of that agent since."""
        if command.action != "pause" or self._now() - command.requested_at > AGAIN_MS:
            return False
        return not any(
            other.agent == command.agent
            and other.action == "pause"
            and other.requested_at >= command.requested_at
            for other in self._watched.floor.state.commands.values()
            if other is not command
        )

    async def _do(self, name: str, command: Command) -> None:
        repeated = command.claimed != self._ownership.epoch
        if self._is_late(command) and not repeated:
            await self._conclude(CommandResult(command=name, kind="expired"), command)
        elif self._ownership.is_held:
            await self._conclude(await self._asked(name, command), command)

    async def _asked(self, name: str, command: Command) -> CommandResult:
        try:
            await self._ask(command)
        except PbxError as error:
            return CommandResult(
                command=name,
                kind=error.kind,
                sentence=packed(wording(error)),
                unknown=error.unknown,
            )
        except ValueError:
            return CommandResult(command=name, kind="strange")
        return CommandResult(command=name, done=True)

    async def _ask(self, command: Command) -> None:
        """Raises ValueError for what this version does not know."""
        if command.action == "pause":
            await self._pbx.pause(command.agent, command.paused)
        elif command.action == "dial":
            await self._pbx.dial(command.supervisor, command.phone)
        elif command.action == "spy":
            direction = Direction(command.direction) if command.direction else None
            mode = SpyMode(command.mode)
            await self._pbx.spy(command.supervisor, command.agent, mode, direction)
        else:
            raise ValueError(command.action)

    async def _conclude(self, result: CommandResult, command: Command) -> None:
        """Again until it is stored: nobody else can tell how it ended."""
        if command.action == "pause" and (result.done or result.unknown):
            self._doubt(command.agent)
        for _ in range(CONCLUDE_TRIES):
            try:
                await self._log.append([result], f"result-{result.command}")
            except LogUnavailable as reason:
                logger.warning("How a command ended could not be stored: %s", reason)
                if not self._ownership.is_held:
                    return
                await asyncio.sleep(RETRY_S)
            else:
                return

    def _is_late(self, command: Command) -> bool:
        return self._now() > command.expires_at

    def _now(self) -> int:
        """The later of our clock and the log's: a clock that is behind must do nothing late."""
        return max(self._clock(), self._watched.floor.state.at)


def _claim(name: str) -> CommandClaimed:
    return CommandClaimed(command=name)
