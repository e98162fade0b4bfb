"""What has to follow by itself: a pause when the call ends, the end of a listening by its phone.

Follows the log like the floor does, from the moment it starts; what was missed while nothing ran is
looked for once at the start.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from app.actions.deeds import Order
from app.actions.desk import Desk, deed_on
from app.actions.pausing import PAUSED
from app.actions.targets import agent_target, called_first
from app.audit import Actor
from app.domain.events import (
    Event,
    ListenEnded,
    ListenStarted,
    PauseNoted,
    PauseWanted,
    PhoneReported,
    PhoneVerified,
)
from app.domain.floor import is_void
from app.domain.model import Agent
from app.domain.states import Status
from app.log import LogUnavailable, Record

# A report this soon after the start may be older than the ring.
FRESH_MS = 1_000
BUSY = frozenset({Status.TALK, Status.RING})

logger = logging.getLogger(__name__)


class Aftermath:
    """Runs for ever beside the projector."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        # Whose phone listens: extension → (supervisor, since in ms).
        self._phones: dict[str, tuple[str, int]] = {}
        # Who is to be paused. Not looked for on the floor: of thousands of agents that are few.
        self._wishes: set[str] = set()

    async def run(self) -> None:
        """Follow the log until cancelled."""
        began, agents = self._desk.watched.applied, self._desk.state.agents
        self._phones = _phones_that_listen(agents)
        self._wishes = {extension for extension, agent in agents.items() if agent.pause_wanted}
        await self._pauses()
        async for records in self._desk.log.follow(began):
            await self._desk.watched.wait_for(records[-1].seq)
            records = [each for each in records if not is_void(self._desk.state, each.event)]
            await self._append(self._hung_up(records))
            events = (record.event for record in records)
            self._wishes |= {one.extension for one in events if isinstance(one, PauseWanted)}
            await self._pauses()

    async def _pauses(self) -> None:
        """Pause whoever was to be paused and talks no more; who has gone home needs none."""
        agents = self._desk.state.agents
        self._wishes = {one for one in self._wishes if agents[one].pause_wanted}
        due = [agents[one] for one in sorted(self._wishes) if agents[one].status not in BUSY]
        gone = [agent.extension for agent in due if agent.mode is Status.OFF]
        await self._append([PauseWanted(extension=each, wanted=False) for each in gone])
        await asyncio.gather(*(self._pause(agent) for agent in due if agent.extension not in gone))

    async def _pause(self, agent: Agent) -> None:
        """In the name of whoever wanted it, once: a failure is told on the card by its absence."""
        target = agent_target(self._desk.state, agent.extension)
        noted = PauseNoted(
            extension=agent.extension,
            reason=agent.pause_reason,
            until=agent.pause_until,
            by=agent.pause_by,
            paused=True,
        )
        no_more = PauseWanted(extension=agent.extension, wanted=False)
        outcome = await self._desk.deeds.carry_out(
            Order(
                actor=Actor(name=agent.pause_by, role="after call"),
                deed=deed_on("pause", target, reason=agent.pause_reason),
                call=partial(self._desk.pbx.pause, agent.extension, True),
                key=("after call", agent.extension),
                wish=self._desk.state.seq,
                done=PAUSED.filled(agent=called_first(agent.extension, agent.name)),
                shown=[no_more, noted],
                if_unknown=[no_more, replace(noted, paused=None)],
            )
        )
        if not outcome.ok:
            logger.warning("A pause after a call did not work: %s", outcome.sentence)
            self._desk.doubt(agent.extension)
            await self._append([no_more])

    def _hung_up(self, records: Sequence[Record]) -> list[Event]:
        """The listenings whose phones say that they are free."""
        ended: list[Event] = []
        for record in records:
            event = record.event
            if isinstance(event, ListenStarted) and event.phone:
                self._phones[event.phone] = (event.supervisor, record.at)
            elif isinstance(event, PhoneReported | PhoneVerified) and _is_free(event):
                supervisor, since = self._phones.get(event.extension, ("", 0))
                if supervisor and record.at - since >= FRESH_MS:
                    del self._phones[event.extension]
                    ended += self._endings(supervisor)
        return ended

    def _endings(self, supervisor: str) -> list[Event]:
        return [
            ListenEnded(supervisor=supervisor, extension=extension, reason="phone hung up")
            for extension, agent in self._desk.state.agents.items()
            if any(one.supervisor == supervisor for one in agent.listeners)
        ]

    async def _append(self, events: Sequence[Event]) -> None:
        try:
            if events:
                await self._desk.log.append(events)
        except LogUnavailable as error:
            logger.error("The board can't show what followed: %s", error)


def _phones_that_listen(agents: dict[str, Agent]) -> dict[str, tuple[str, int]]:
    listeners = (one for agent in agents.values() for one in agent.listeners)
    return {one.phone: (one.supervisor, one.since) for one in listeners if one.phone}


def _is_free(event: PhoneReported | PhoneVerified) -> bool:
    return event.status is not None and event.status not in BUSY
