"""Events as they are stored: a kind and a JSON object of the fields that were told.

Rule of this file: kinds, field names and default values are for ever, because old logs hold them
(most fields at their default are not written). New fields need a default; unknown ones are ignored.
"""

import dataclasses
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

import msgspec

from app.domain import events, table_changes
from app.domain.events import Event

KINDS: dict[str, type[Event]] = {
    "call_ringing": events.CallRinging,
    "call_answered": events.CallAnswered,
    "call_ended": events.CallEnded,
    "call_abandoned": events.CallAbandoned,
    "ring_missed": events.RingMissed,
    "call_recorded": events.CallRecorded,
    "outbound_ringing": events.OutboundRinging,
    "outbound_answered": events.OutboundAnswered,
    "phone_reported": events.PhoneReported,
    "phone_verified": events.PhoneVerified,
    "pbx_asked": events.PbxAsked,
    "agent_named": events.AgentNamed,
    "queue_named": events.QueueNamed,
    "pause_noted": events.PauseNoted,
    "pause_wanted": events.PauseWanted,
    "listen_started": events.ListenStarted,
    "listen_ended": events.ListenEnded,
    "call_back_placed": events.CallBackPlaced,
    "abandon_claimed": events.AbandonClaimed,
    "abandon_released": events.AbandonReleased,
    "abandon_closed": events.AbandonClosed,
    "alarm_rule_set": events.AlarmRuleSet,
    "alarm_rule_removed": events.AlarmRuleRemoved,
    "alarm_acknowledged": events.AlarmAcknowledged,
    "alarm_shelved": events.AlarmShelved,
    "alarm_sent": events.AlarmSent,
    "ownership_taken": events.OwnershipTaken,
    "command_requested": events.CommandRequested,
    "command_claimed": events.CommandClaimed,
    "command_withdrawn": events.CommandWithdrawn,
    "command_result": events.CommandResult,
    "tick": events.Tick,
    "tables_changed": table_changes.TablesChanged,
}

_NAMES = {kind: name for name, kind in KINDS.items()}


def _stored_as(kind: type[Event]) -> tuple[Callable[[Event], Any], type[msgspec.Struct]]:
    """What reads the fields of such an event, and what they are written as: those at a default not.

    A dictionary of what was told, made in Python, would take four times as long.
    """
    fields = dataclasses.fields(kind)
    # Those without a default come first, as in any signature.
    ordered = sorted(fields, key=lambda field: field.default is not dataclasses.MISSING)
    shape = [
        (f.name, Any) if f.default is dataclasses.MISSING else (f.name, Any, f.default)
        for f in ordered
    ]
    # Every event has two fields at least, so this reads a tuple.
    read = attrgetter(*[field.name for field in ordered])
    return read, msgspec.defstruct(kind.__name__, shape, omit_defaults=True)


_STORED = {kind: _stored_as(kind) for kind in _NAMES}
_DECODERS = {name: msgspec.json.Decoder(kind) for name, kind in KINDS.items()}
_ENCODER = msgspec.json.Encoder()


class EventUnreadable(ValueError):
    """What was stored is no event that this version knows."""


def encode(event: Event) -> tuple[str, bytes]:
    """The event's kind and its JSON, UTF-8. Raises ValueError for text that is not Unicode."""
    kind = type(event)
    read, stored = _STORED[kind]
    return _NAMES[kind], _ENCODER.encode(stored(*read(event)))


def read_back(events: Iterable[Event]) -> tuple[list[Event], list[tuple[str, str]]]:
    """The events as a replay will read them, and (kind, JSON) of each, as they are stored.

    Raises ValueError for what can't be read back: it is refused before it is in a log.
    """
    readable: list[Event] = []
    bodies: list[tuple[str, str]] = []
    for event in events:
        kind, body = encode(event)
        readable.append(decode(kind, body))
        bodies.append((kind, str(body, "utf-8")))
    return readable, bodies


def decode(kind: str, body: bytes | str) -> Event:
    """The event that was stored. Raises EventUnreadable."""
    try:
        return _DECODERS[kind].decode(body)
    except KeyError:
        raise EventUnreadable(
            f"The log holds an event of the kind '{kind}', which this version does not know: a "
            "newer version wrote it. Start that version again, or restore an older backup."
        ) from None
    except msgspec.MsgspecError as error:
        raise EventUnreadable(f"An event of the kind '{kind}' can't be read: {error}.") from error
