"""Watches a floor, record by record, and gathers what the history is to keep of it.

It remembers only what a floor does not: how each call stood before, and the span each agent is in.
"""

from app.domain.events import (
    AbandonClaimed,
    AbandonClosed,
    AbandonReleased,
    CallBackPlaced,
    Event,
)
from app.domain.floor import is_pushed, is_void
from app.domain.model import Agent, FloorState
from app.domain.states import Status
from app.domain.turn import Changes
from app.history.batch import Batch, Seen, Span
from app.history.marks import NOTHING, changes_between, mark_of
from app.log import Record

# A tick is due each 5 s: after three of them are missing, the program was down (or the disk).
DOWN_MS = 15_000
# People are logged in and the PBX says nothing of anything.
SILENT_MS = 10 * 60_000
DOWN, SILENT = "down", "silent"

DEEDS: dict[type[Event], str] = {
    AbandonClaimed: "claimed",
    AbandonReleased: "released",
    AbandonClosed: "closed",
    CallBackPlaced: "calling",
}


class Tracker:
    """`state` is the floor's as it is now, `seen` what was known beside it."""

    def __init__(self, state: FloorState, seen: Seen | None = None) -> None:
        self.seen = seen or Seen()
        self.batch = Batch()
        self._marks = {callid: mark_of(call) for callid, call in state.calls.items()}
        self._at = state.at
        self._exact = state.billing.exact

    def note(self, record: Record, changes: Changes, state: FloorState) -> None:
        """The record was just applied to the floor and made these changes."""
        self.batch.began = self.batch.began or record.at
        self.batch.events += 1
        self._note_time(record)
        if is_void(state, record.event):
            return
        self._note_calls(record, changes, state)
        self._note_agents(record, changes, state)
        if deed := DEEDS.get(type(record.event)):
            self._note_deed(record, deed)

    def take(self) -> Batch:
        """What was gathered; from now on anew."""
        taken, self.batch = self.batch, Batch()
        return taken

    def forget(self, state: FloorState) -> None:
        """Let go of calls that the floor has forgotten."""
        self._marks = {id_: mark for id_, mark in self._marks.items() if id_ in state.calls}

    def _note_time(self, record: Record) -> None:
        if self._at and record.at - self._at > DOWN_MS:
            self.batch.gaps.append((self._at, record.at, DOWN))
            self.seen.heard_at = record.at
        self._at = record.at
        if is_pushed(record.event):
            before, self.seen.heard_at = self.seen.heard_at, record.at
            if before and record.at - before > SILENT_MS and self._somebody_is_there():
                self.batch.gaps.append((before, record.at, SILENT))

    def _somebody_is_there(self) -> bool:
        return any(span.status != Status.OFF for span in self.seen.spans.values())

    def _note_calls(self, record: Record, changes: Changes, state: FloorState) -> None:
        named = getattr(record.event, "callid", "")
        for callid in {*changes.calls, named} if named else changes.calls:
            changed = []
            if call := state.calls.get(callid):
                self.batch.call(call)
                before, after = self._marks.get(callid, NOTHING), mark_of(call)
                changed = changes_between(before, after)
                self._marks[callid] = after
            if changed or callid == named:
                self.batch.call_event(callid, record.seq, changed)
        if state.billing.exact != self._exact:
            # Every call that the floor remembers was counted anew.
            self._exact = state.billing.exact
            for call in state.calls.values():
                self.batch.call(call)

    def _note_agents(self, record: Record, changes: Changes, state: FloorState) -> None:
        told = getattr(record.event, "extension", "")
        for extension in changes.agents | {told} if told else changes.agents:
            agent = state.agents.get(extension)
            if agent is not None and (self._moved(record.at, agent) or extension == told):
                self.batch.agent_events.append((extension, record.seq))

    def _moved(self, at: int, agent: Agent) -> bool:
        """Keep the agent's span up; True where a new one began."""
        span = self.seen.spans.get(agent.extension)
        paused = agent.mode is Status.PAUSE
        reason = agent.pause_reason if paused else ""
        if span is None or agent.status != span.status or agent.since > span.since:
            self._begin(agent.since, agent, reason)
        elif paused != span.paused or (span.reason and reason != span.reason):
            self._begin(at, agent, reason)
        elif reason != span.reason:
            # Said a moment after the pause began: it is that pause's reason.
            span.reason = reason
            self.batch.span(span)
        else:
            return False
        return True

    def _begin(self, since: int, agent: Agent, reason: str) -> None:
        before = self.seen.spans.get(agent.extension)
        if before is not None:
            since = before.until = max(since, before.since)
            self.batch.span(before)
        paused = agent.mode is Status.PAUSE
        span = Span(agent.extension, since, str(agent.status), paused, reason)
        self.seen.spans[agent.extension] = span
        self.batch.span(span)

    def _note_deed(self, record: Record, deed: str) -> None:
        event = record.event
        reason = getattr(event, "reason", "")
        callid, who = getattr(event, "callid", ""), getattr(event, "by", "")
        self.batch.deeds.append((record.seq, callid, record.at, deed, who, reason))
