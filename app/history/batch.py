"""What one batch of records leaves to be written, gathered while the floor moves on.

Calls are kept by reference and become rows at the moment of writing: a call that changed a hundred
times is written once, as it is then.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from app.domain.model import Call
from app.history.marks import Change
from app.history.rows import Row, call_row, is_known, leg_rows, visit_rows


class Span(msgspec.Struct):
    """An agent in one status, with or without the paused mark. Times in ms; `until` None: now."""

    extension: str
    since: int
    status: str
    paused: bool = False
    reason: str = ""
    until: int | None = None


class Seen(msgspec.Struct):
    """What a floor does not know: each agent's span, and since when no webhook came (ms).

    A time in which the program was down is no silence of the PBX: it ends where we are back.
    """

    spans: dict[str, Span] = {}
    heard_at: int = 0


@dataclass(slots=True)
class Batch:
    """Everything that is not written yet; `began` is its first record's time (ms)."""

    events: int = 0
    began: int = 0
    calls: dict[tuple[int, str], Call] = field(default_factory=dict)
    spans: dict[tuple[str, int], Span] = field(default_factory=dict)
    gaps: list[Row] = field(default_factory=list)
    call_events: list[Row] = field(default_factory=list)
    agent_events: list[Row] = field(default_factory=list)
    deeds: list[Row] = field(default_factory=list)

    def call(self, call: Call) -> None:
        """This call's rows are out of date."""
        self.calls[call.first_seen, call.callid] = call

    def span(self, span: Span) -> None:
        """This span is new or has changed."""
        self.spans[span.extension, span.since] = span

    def call_event(self, callid: str, seq: int, changed: Iterable[Change]) -> None:
        """The record of that seq is part of the call's story."""
        text = msgspec.json.encode(list(changed)).decode()
        self.call_events.append((callid, seq, text))

    def rows(self) -> dict[str, list[Row]]:
        """{statement of STATEMENTS: rows}, in the order of writing."""
        known = [call for call in self.calls.values() if is_known(call)]
        keys: list[Row] = [(call.first_seen, call.callid) for call in known]
        return {
            "call": [call_row(call) for call in known],
            "no visit": keys,
            "no leg": keys,
            "visit": [row for call in known for row in visit_rows(call)],
            "leg": [row for call in known for row in leg_rows(call)],
            "span": [_span_row(span) for span in self.spans.values()],
            "gap": self.gaps,
            "call event": self.call_events,
            "agent event": self.agent_events,
            "deed": self.deeds,
        }


def _span_row(span: Span) -> Row:
    return (span.extension, span.since, span.until, span.status, span.paused, span.reason)


def _insert(table: str, columns: int) -> str:
    return f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * columns)})"  # noqa: S608 (our names)


# A deed names the call; whose line it is about is that call's caller.
DEED = """
INSERT OR REPLACE INTO abandon_deed
SELECT ?1, ?2, coalesce((SELECT caller FROM call WHERE callid = ?2
                         ORDER BY first_seen DESC LIMIT 1), '#' || ?2), ?3, ?4, ?5, ?6
"""

STATEMENTS = {
    "call": _insert("call", 20),
    "no visit": "DELETE FROM visit WHERE first_seen = ? AND callid = ?",
    "no leg": "DELETE FROM leg WHERE first_seen = ? AND callid = ?",
    "visit": _insert("visit", 12),
    "leg": _insert("leg", 8),
    "span": _insert("agent_span", 6),
    "gap": "INSERT OR REPLACE INTO gap (began, ended, kind) VALUES (?, ?, ?)",
    "call event": _insert("call_event", 3),
    "agent event": _insert("agent_event", 2),
    "deed": DEED,
}
