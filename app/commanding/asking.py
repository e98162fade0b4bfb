"""A Pbx that asks the site's owner to do what has an effect; what only reads, it asks itself.

The request goes into the log, where the answer comes back. Whoever waits too long for an owner
takes the request back, and by the log's order it is certain whether that came in time.
"""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date

from app.domain.command import Command, Conclusion
from app.domain.events import CallRecorded, CommandRequested, CommandWithdrawn
from app.domain.states import Direction
from app.log import EventLog, LogUnavailable
from app.ownership import Watched
from app.pbx import Finding, Member, Pbx, PbxError, PhoneState, SpyMode, Unreadable
from app.sentences import Sentence, unpacked

# An owner that is there claims within a few milliseconds.
CLAIM_S = 2.5
# A little less than an action has for the PBX.
ANSWER_S = 5.0

NO_OWNER = Sentence(
    "No node has taken it on, so nothing was done. The nodes may just be settling who does: "
    "please try again in a moment."
)
NOT_TAKEN = Sentence("Too much was asked at once, so nothing was done. Please try again.")
NOT_STORED = Sentence("Nothing was done: the nodes can't agree on anything at the moment.")
EXPIRED = Sentence("Nobody has done it in time, so nothing was done. Please try again.")
ORPHANED = Sentence(
    "The node that was doing it is gone; whether it was done is unknown. Please look, then try "
    "again."
)
STRANGE = Sentence("Another version of Pitwall was to do it and does not know how.")
UNANSWERED = Sentence("There was no answer in time; whether it was done is unknown.")

# Kinds of our own: what they are to the PBX's errors, and how they are said.
OURS = {
    "withdrawn": ("unreachable", NO_OWNER),
    "expired": ("timeout", EXPIRED),
    "orphaned": ("timeout", ORPHANED),
    "strange": ("refused", STRANGE),
}


class CommandingPbx:
    """A Pbx. `log` is the site's, `watched` its floor, `pbx` answers questions."""

    def __init__(
        self,
        pbx: Pbx,
        log: EventLog,
        watched: Watched,
        claim_s: float = CLAIM_S,
        answer_s: float = ANSWER_S,
        new_name: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._pbx = pbx
        self._log = log
        self._watched = watched
        self._claim_s = claim_s
        self._answer_s = answer_s
        self._new_name = new_name
        self._afterwards: set[asyncio.Task[None]] = set()

    # By the owner

    async def dial(self, extension: str, phone: str) -> None:
        await self._command(
            CommandRequested(
                command=self._new_name(), action="dial", supervisor=extension, phone=phone
            )
        )

    async def spy(
        self, supervisor: str, extension: str, mode: SpyMode, direction: Direction | None
    ) -> None:
        await self._command(
            CommandRequested(
                command=self._new_name(),
                action="spy",
                supervisor=supervisor,
                agent=extension,
                mode=mode.value,
                direction=direction.value if direction else "",
            )
        )

    async def pause(self, extension: str, paused: bool) -> None:
        await self._command(
            CommandRequested(
                command=self._new_name(), action="pause", agent=extension, paused=paused
            )
        )

    # By ourselves

    @property
    def unreadable(self) -> Sequence[Unreadable]:
        return self._pbx.unreadable

    async def phones(self, extensions: Sequence[str]) -> list[PhoneState]:
        return await self._pbx.phones(extensions)

    async def members(self) -> list[Member]:
        return await self._pbx.members()

    async def records(
        self, day_from: date, day_to: date, callid: str | None = None
    ) -> list[CallRecorded]:
        return await self._pbx.records(day_from, day_to, callid)

    async def test_connection(self) -> list[Finding]:
        return await self._pbx.test_connection()

    async def close(self) -> None:
        """The real one is closed by whoever opened it."""
        for task in self._afterwards:
            task.cancel()
        await asyncio.gather(*self._afterwards, return_exceptions=True)

    # Inside

    async def _command(self, request: CommandRequested) -> None:
        if self._log.failure:
            raise PbxError("unreachable", NOT_STORED)
        try:
            async with asyncio.timeout(self._answer_s):
                conclusion = await self._conclusion(request)
        except (TimeoutError, LogUnavailable):
            self._take_back_later(request.command)
            raise PbxError("timeout", UNANSWERED, unknown=True) from None
        if not conclusion.done:
            raise _error(conclusion)

    async def _conclusion(self, request: CommandRequested) -> Conclusion:
        name = request.command
        seq = await self._log.append([request], f"request-{name}")
        await self._watched.wait_for(seq)
        command = self._watched.floor.state.commands.get(name)
        if command is None:
            raise PbxError("busy", NOT_TAKEN)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._claim_s):
                while not _is_claimed(command):
                    await self._watched.wait_for(self._watched.applied + 1)
        if not _is_claimed(command):
            await self._watched.wait_for(await self._take_back(name))
        while command.conclusion is None:
            await self._watched.wait_for(self._watched.applied + 1)
        return command.conclusion

    async def _take_back(self, name: str) -> int:
        """If nobody has claimed it: whoever has must conclude it all the same."""
        return await self._log.append([CommandWithdrawn(command=name)])

    def _take_back_later(self, name: str) -> None:
        """The log may yet store the request, when nobody waits any more: then this follows it."""

        async def take_back() -> None:
            with suppress(LogUnavailable):
                await self._take_back(name)

        task = asyncio.create_task(take_back())
        self._afterwards.add(task)
        task.add_done_callback(self._afterwards.discard)


def _error(conclusion: Conclusion) -> PbxError:
    told = (conclusion.kind, unpacked(conclusion.sentence))
    kind, sentence = OURS.get(conclusion.kind, told)
    return PbxError(kind, sentence, unknown=conclusion.unknown)


def _is_claimed(command: Command) -> bool:
    return bool(command.claimed) or command.conclusion is not None
