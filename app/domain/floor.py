"""The floor: applies one event after the other to the state, and to nothing else.

Rule of this file: every kind of event has one row in `RULES`; what a row does is a small function
in `reports`, `phones` or `notes`. Deterministic: the same events give the same floor.
"""

from collections.abc import Callable
from typing import Any

from app.domain import alarm_acts, board, commands, events, notes, phones, reports
from app.domain.alarm_view import AlarmRow, alarm_rows
from app.domain.alarms import watch
from app.domain.caps import USUAL, Caps, Grown, over
from app.domain.days import BusinessDay
from app.domain.diary import Diary
from app.domain.expiry import change_day, tick
from app.domain.model import FloorState
from app.domain.numbers import Numbers
from app.domain.standing import Standing
from app.domain.table_changes import TablesChanged
from app.domain.turn import Changes, Turn
from app.domain.view import AbandonRow, AgentCard, QueueTile, Totals, WaitingRow

# What webhooks bring. To look up: `isinstance` would ask nine classes for every event.
WEBHOOKS: frozenset[type[events.Event]] = frozenset(
    {
        events.CallRinging,
        events.CallAnswered,
        events.CallEnded,
        events.CallAbandoned,
        events.CallRecorded,
        events.RingMissed,
        events.OutboundRinging,
        events.OutboundAnswered,
        events.PhoneReported,
    }
)


class Floor:
    """The state and the one way to change it; `caps` is how far it may grow."""

    def __init__(
        self, days: BusinessDay, state: FloorState | None = None, caps: Caps = USUAL
    ) -> None:
        self.days = days
        self.caps = caps
        self.state = state or FloorState()
        self._grown = Grown(self.state)
        self._diary = Diary(self.state)
        self._numbers = Numbers(self.state)
        self._standing: Standing | None = None
        self._unnoted = Changes()

    def apply(self, seq: int, at: int, event: events.Event) -> Changes:
        """Apply the event with that place and time in the log; tell what changed."""
        turn = Turn(self.state, at, self._numbers)
        if not self.state.day:
            change_day(turn, self.days)
        self.state.seq, self.state.at = seq, at
        if event.epoch:
            if is_void(self.state, event):
                return turn.changes
            self.state.epoch = event.epoch
        if is_pushed(event):
            self._count_webhook(at, event)
        if type(event) is events.Tick:
            tick(turn, self.days, self.caps, self._diary)
            watch(turn, self.days.zone)
        elif not (type(event) in WEBHOOKS and self._is_over(event)):
            RULES[type(event)](turn, event)
        self._grown.note(self.state, turn.changes)
        self._diary.note(turn.changes)
        self._numbers.note(self.state, turn.changes.calls)
        if self._standing is not None:
            self._unnoted.add(turn.changes)
        return turn.changes

    def _is_over(self, event: events.Event) -> bool:
        what = over(self.caps, self._grown, self.state, event)
        if what:
            self.state.overflow[what] = self.state.overflow.get(what, 0) + 1
        return bool(what)

    def _count_webhook(self, at: int, event: events.Event) -> None:
        webhooks = self.state.webhooks
        webhooks.accepted += 1
        webhooks.flagged += bool(event.flags)
        webhooks.last_at = at

    def agent_cards(self) -> list[AgentCard]:
        """All agents, by extension."""
        return board.agent_cards(self.state)

    def agent_card(self, extension: str) -> AgentCard | None:
        """One agent, None where there is none of that extension."""
        return board.agent_card(self.state, extension) if extension in self.state.agents else None

    def queue_tiles(self) -> list[QueueTile]:
        """All queues, by id."""
        return self._counts().tiles(set(self.state.queues))

    def some_tiles(self, queues: set[str]) -> list[QueueTile]:
        """These queues, by id, as far as there are such."""
        return self._counts().tiles(queues)

    def queue_name(self, queue: str) -> str:
        """What people call the queue: its name, else its id."""
        known = self.state.queues.get(queue)
        return known.name if known and known.name else queue

    def limit_s(self, queue: str) -> int:
        """The queue's T, by which a wait in it looks young or old."""
        return board.limit_s(self.state, queue)

    def waiting_rows(self) -> list[WaitingRow]:
        """The callers who wait, the longest first."""
        return self._counts().waiting_rows()

    def abandon_rows(self, queues: frozenset[str] | None = None) -> list[AbandonRow]:
        """Those who gave up today, on the whole floor or in these queues: the newest of them."""
        return board.abandon_rows(self.state, queues)

    def alarm_rows(self) -> list[AlarmRow]:
        """The alarms that stand, the most urgent first."""
        return alarm_rows(self.state)

    def totals(self, queues: frozenset[str] | None = None) -> Totals:
        """The whole floor, or what these queues make of it."""
        return self._counts().totals(queues)

    def _counts(self) -> Standing:
        """Made when first asked for: a floor that nobody looks at is not counted."""
        if self._standing is None or self._standing.state is not self.state:
            self._standing = Standing(self.state)
        else:
            self._standing.note(self._unnoted)
        self._unnoted = Changes()
        return self._standing


def is_pushed(event: events.Event) -> bool:
    """A webhook brought it: it shows that the PBX reaches us. Records are also asked for."""
    return type(event) in WEBHOOKS and not getattr(event, "fetched", False)


def is_void(state: FloorState, event: events.Event) -> bool:
    """An owner wrote it after a later one had begun: it changes nothing, on no floor.

    The same before the event is applied to the state and after.
    """
    return 0 < event.epoch < state.epoch


RULES: dict[type[events.Event], Callable[[Turn, Any], None]] = {
    events.CallRinging: reports.ringing,
    events.CallAnswered: reports.call_answered,
    events.CallEnded: reports.call_ended,
    events.CallAbandoned: reports.call_abandoned,
    events.RingMissed: reports.ring_missed,
    events.CallRecorded: reports.call_recorded,
    events.OutboundRinging: reports.outbound_ringing,
    events.OutboundAnswered: reports.outbound_answered,
    events.PhoneReported: phones.phone_reported,
    events.PhoneVerified: phones.phone_verified,
    events.PbxAsked: notes.pbx_asked,
    events.AgentNamed: notes.agent_named,
    events.QueueNamed: notes.queue_named,
    events.PauseNoted: notes.pause_noted,
    events.PauseWanted: notes.pause_wanted,
    events.ListenStarted: notes.listen_started,
    events.ListenEnded: notes.listen_ended,
    events.CallBackPlaced: notes.call_back_placed,
    events.AbandonClaimed: notes.abandon_claimed,
    events.AbandonReleased: notes.abandon_claimed,
    events.AbandonClosed: notes.call_back_placed,
    events.AlarmRuleSet: alarm_acts.rule_set,
    events.AlarmRuleRemoved: alarm_acts.rule_removed,
    events.AlarmAcknowledged: alarm_acts.acknowledged,
    events.AlarmShelved: alarm_acts.shelved,
    events.AlarmSent: alarm_acts.sent,
    events.OwnershipTaken: notes.ownership_taken,
    events.CommandRequested: commands.requested,
    events.CommandClaimed: commands.claimed,
    events.CommandWithdrawn: commands.withdrawn,
    events.CommandResult: commands.concluded,
    TablesChanged: notes.no_concern,
}
