"""The whole story of a call, and what made an agent's tile what it is: the events, in order."""

from dataclasses import dataclass

import msgspec

from app.database import Database
from app.domain.events import CallRecorded, Event, PbxAsked, PhoneVerified, Tick
from app.domain.floor import is_pushed
from app.history.marks import Change
from app.log import EventLog, Record
from app.log.codec import encode

# Where an event came from: the PBX pushed it, answered it, we concluded it, a person did it.
WEBHOOK, ASKED, CONCLUDED, PERSON = "webhook", "asked", "concluded", "person"
MOST_EVENTS = 500


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a story.

    `kind` is the log's name of the event, `said` its fields that were told, `source` one of the
    four above. `changed` are changes of `marks`: words for people come from `marks.in_words`.
    """

    seq: int
    at: int
    kind: str
    source: str
    said: dict[str, object]
    changed: list[Change]


async def call_story(database: Database, log: EventLog, callid: str) -> list[Step]:
    """Every event that spoke of the call or changed it, the first 500 of them."""
    sql = "SELECT seq, changed FROM call_event WHERE callid = ? ORDER BY seq LIMIT ?"
    rows = await database.read(sql, (callid, MOST_EVENTS))
    changed = {seq: msgspec.json.decode(text, type=list[Change]) for seq, text in rows}
    records = await log.records(list(changed))
    return [_step(record, changed[record.seq]) for record in records]


async def agent_story(
    database: Database, log: EventLog, extension: str, until: int | None = None, limit: int = 20
) -> list[Step]:
    """The newest events (up to the seq `until`) that named or changed the agent, in order."""
    sql = "SELECT seq FROM agent_event WHERE extension = ? AND seq <= ? ORDER BY seq DESC LIMIT ?"
    newest = log.last_seq if until is None else until
    rows = await database.read(sql, (extension, newest, min(limit, MOST_EVENTS)))
    records = await log.records([seq for (seq,) in rows])
    return [_step(record, []) for record in records]


def source_of(event: Event) -> str:
    """Where the event came from."""
    if is_pushed(event):
        return WEBHOOK
    if isinstance(event, PhoneVerified | PbxAsked | CallRecorded):
        return ASKED
    return CONCLUDED if isinstance(event, Tick) else PERSON


def _step(record: Record, changed: list[Change]) -> Step:
    kind, body = encode(record.event)
    said = msgspec.json.decode(body)
    for inward in ("epoch", "fetched"):
        said.pop(inward, None)
    return Step(record.seq, record.at, kind, source_of(record.event), said, changed)
