"""Asks the PBX what is true, and appends what differs as events; it changes nothing itself.

At the start and each minute it asks for everything, at once for whatever is in doubt; call records
are fetched after an outage and each hour. Whatever it does not answer holds up nothing else.
Webhooks get lost, so drift is certain; silence about it would be a lie.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TypeVar
from zoneinfo import ZoneInfo

from app.domain.board import extension_order
from app.domain.events import Event, PbxAsked, PhoneVerified
from app.domain.model import Agent, FloorState
from app.domain.states import Direction, LegState, Status
from app.log import EventLog, LogUnavailable
from app.log.appending import append_all
from app.missing_records import MissingRecords
from app.pbx import Member, Pbx, PbxError, PhoneState
from app.pbx.asking import Pace, ask_each
from app.pbx.naming import new_names

ROUND_S = 60.0
RETRY_S = 10.0
LOOK_S = 1.0
RECORDS_S = 3600.0
RECORDS_RETRY_S = 60.0
# How many phones one question may name.
PHONES_AT_ONCE = 100
DOUBT_AGAIN_MS = 15_000
ACTED_AGAIN_MS = 2_000
OTHER_CALL_MS = 60_000
RINGING_MS = 10_000
# A change this fresh may be newer than the answer.
JUST_NOW_MS = 1_000
BUSY = frozenset({Status.TALK, Status.RING})

T = TypeVar("T")
logger = logging.getLogger(__name__)


class Reconciler:
    """`state` gives the floor as it is now; `clock` is the log's (ms)."""

    def __init__(
        self,
        pbx: Pbx,
        log: EventLog,
        state: Callable[[], FloorState],
        clock: Callable[[], int],
        zone: ZoneInfo,
    ) -> None:
        self._pbx = pbx
        self._log = log
        self._state = state
        self._clock = clock
        self._records = MissingRecords(pbx, log, state, clock, zone)
        self._asked: dict[str, int] = {}
        self._doubted: set[str] = set()
        self._listed: set[str] = set()
        # The PBX answered when last asked for members or phones; it did not in the round before.
        self._hears = False
        self._was_away = True
        self._next_round = 0.0
        self._records_pace = Pace(RECORDS_S, RECORDS_RETRY_S)

    async def run(self) -> None:
        """Ask for ever; a PBX that does not answer is asked again soon."""
        loop = asyncio.get_running_loop()
        self._next_round = loop.time()
        self._records_pace.hurry(loop.time())
        while True:
            await self.look(loop.time())
            await asyncio.sleep(LOOK_S)

    async def look(self, now: float) -> None:
        """Ask for what is due at `now`, in seconds."""
        if now >= self._next_round:
            await self._guarded(self.everything())
            if self._hears and self._was_away:
                self._records_pace.hurry(now)
            self._was_away = not self._hears
            self._next_round = now + (RETRY_S if self._was_away else ROUND_S)
        elif self._records_pace.is_due(now):
            went_well = await self._guarded(self._records.of_the_days())
            self._records_pace.asked(now, went_well=went_well)
        elif doubted := list(self.doubted()):
            await self._guarded(self.phones(doubted))

    async def everything(self) -> None:
        """One round: queues and names, every known phone, and calls nobody speaks of any more.

        Each is asked whatever became of the others. Raises PbxError, the first, at the end.
        """
        await ask_each(self._members, self._known_phones, self._records.of_silent_calls)
        await self._log.append([PbxAsked(phones=len(self._known()))])

    async def _members(self) -> None:
        members = await self._answer(self._pbx.members())
        self._listed = {member.extension for member in members}
        differing = [*self._differing_queues(members), *new_names(members, self._state())]
        await append_all(self._log, differing)

    async def _known_phones(self) -> None:
        await self.phones(sorted(self._known(), key=extension_order))

    def _known(self) -> set[str]:
        return self._listed | self._state().agents.keys()

    async def phones(self, extensions: Sequence[str]) -> None:
        """Ask for these phones and put right what differs."""
        for first in range(0, len(extensions), PHONES_AT_ONCE):
            asked_at = self._clock()
            batch = extensions[first : first + PHONES_AT_ONCE]
            self._asked.update(dict.fromkeys(batch, asked_at))
            answers = await self._answer(self._pbx.phones(batch))
            await append_all(self._log, self._differing_phones(answers, asked_at))
            self._doubted -= {each.extension for each in answers if self._is_old(each, asked_at)}

    def doubt(self, extension: str) -> None:
        """Ask soon for this phone: nobody knows what an action did to it."""
        self._doubted.add(extension)

    def doubted(self) -> Iterator[str]:
        """Extensions to ask for at once: in doubt, or busy with a call we do not know."""
        now, state = self._clock(), self._state()
        for extension, agent in state.agents.items():
            in_doubt = agent.doubt_since is not None or _unexplained(state, agent, now)
            since_asked = now - self._asked.get(extension, 0)
            if (extension in self._doubted and since_asked >= ACTED_AGAIN_MS) or (
                in_doubt and since_asked >= DOUBT_AGAIN_MS
            ):
                yield extension

    def _differing_queues(self, members: Sequence[Member]) -> list[Event]:
        agents = self._state().agents
        return [
            PhoneVerified(
                extension=member.extension,
                queues=tuple(sorted(member.queues)),
                source="all_members",
            )
            for member in members
            if member.queues and _queues_of(agents, member.extension) != sorted(member.queues)
        ]

    def _differing_phones(self, answers: Sequence[PhoneState], asked_at: int) -> list[Event]:
        return [
            PhoneVerified(
                extension=answer.extension,
                status=answer.status,
                paused=answer.paused,
                source="status",
            )
            for answer in answers
            if answer.status is not None and self._is_told_new(answer, asked_at)
        ]

    def _is_told_new(self, answer: PhoneState, asked_at: int) -> bool:
        """Something to put right or to settle, and nothing newer than the question disagrees."""
        state = self._state()
        agent = state.agents.get(answer.extension)
        if agent is None:
            return answer.status is not Status.OFF
        if not self._is_old(answer, asked_at):
            return False
        open_question = agent.doubt_since is not None or _unexplained(state, agent, asked_at)
        return open_question or _differs(agent, answer)

    def _is_old(self, answer: PhoneState, asked_at: int) -> bool:
        """What the floor has of this phone is older than the question."""
        agent = self._state().agents.get(answer.extension)
        return agent is None or max(agent.phone_at, agent.since) <= asked_at - JUST_NOW_MS

    async def _answer(self, question: Awaitable[T]) -> T:
        self._hears = False
        answer = await question
        self._hears = True
        return answer

    async def _guarded(self, work: Awaitable[None]) -> bool:
        """Whether it went well; if not, that is said."""
        try:
            await work
        except PbxError as error:
            if error.kind != "unconfigured":
                await self._say(str(error))
        except LogUnavailable as reason:
            logger.error("The PBX's answers could not be stored: %s", reason)
        else:
            return True
        return False

    async def _say(self, sentence: str) -> None:
        try:
            await self._log.append([PbxAsked(error=sentence)])
        except LogUnavailable as reason:
            logger.error("The PBX's silence could not be stored: %s", reason)


def _queues_of(agents: dict[str, Agent], extension: str) -> list[str]:
    agent = agents.get(extension)
    return agent.queues if agent else []


def _differs(agent: Agent, answer: PhoneState) -> bool:
    paused_alike = answer.paused is None or answer.paused == (agent.mode is Status.PAUSE)
    return agent.status is not answer.status or not (paused_alike or answer.status is Status.OFF)


def _unexplained(state: FloorState, agent: Agent, now: int) -> bool:
    """Busy for a while, yet no call we know of makes it so; soon, where one rings that may."""
    # Asked of everybody each second, so what is cheap comes first.
    lasting = now - max(agent.since, agent.verified_at or 0)
    if agent.status not in BUSY or lasting < RINGING_MS:
        return False
    wanted = LegState.TALKING if agent.status is Status.TALK else LegState.RINGING
    for callid in agent.legs:
        call = state.calls[callid]
        if call.direction is Direction.OUTBOUND or call.legs[agent.extension].state is wanted:
            return False
    return bool(agent.legs) or lasting >= OTHER_CALL_MS
