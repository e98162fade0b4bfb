"""Hostile and odd inputs, each sent to a real server, each judged by every word of the file."""

import contextlib
import json
import logging
import secrets
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app import protocol
from app.domain.events import CallRecorded, Event
from app.received import FIELDS, Rejected
from tests.bad_cases import run_here
from tests.bad_inputs import FILE, Builder, Case, Request, receiver_cases
from tests.receiver import Answer, Receiver, now_ms, parse_answer, read_answer, send_all

CASES = receiver_cases()
run_here((case["name"] for case in CASES), f"{__name__}.test_bad_input")
ATTRIBUTES = {"calldate": "started", "recordingfile": "recording"}
MEBIBYTE = 1024 * 1024


@dataclass
class Outcome:
    """A case after its request: what came back, and what was there before."""

    case: Case
    request: Request
    answer: Answer
    receiver: Receiver
    source: str
    before: "Counts"
    logged: list[str]
    closed: bool

    @property
    def new_events(self) -> int:
        return self.receiver.parts.log.last_seq - self.before.seq

    @property
    def event(self) -> Event:
        return self.receiver.newest_event()

    @property
    def listed(self) -> Rejected:
        return self.receiver.parts.journal.rejected[-1]


@dataclass(frozen=True)
class Counts:
    """What may grow."""

    seq: int
    refused: int
    flagged: int
    outsiders: int
    unparsable: int
    resident: int

    @classmethod
    def of(cls, receiver: Receiver) -> "Counts":
        counters = receiver.parts.journal.counters
        return cls(
            receiver.parts.log.last_seq,
            counters["refused"],
            counters["flagged"],
            counters["wrong_token"] + counters["bare"],
            counters["unparsable"],
            resident_bytes(),
        )


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def source() -> str:
    """An address of the case's own, for strangers are limited by address."""
    return f"127.{secrets.randbelow(200) + 1}.{secrets.randbelow(256)}.{secrets.randbelow(253) + 1}"


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_bad_input(
    case: Case,
    receiver: Receiver,
    source: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if "closed_within_15s" in case["must_hold"]:
        monkeypatch.setattr(protocol, "HEAD_S", 0.3)
        monkeypatch.setattr(protocol, "BODY_S", 0.3)
    caplog.set_level(logging.DEBUG, "app")
    request = Builder(receiver).build(case)
    before = Counts.of(receiver)

    with receiver.connect(source) as connection:
        answer = converse(connection, case, request)
        closed = "connection_closed" in case["must_hold"] and is_closed(connection)

    logged = [record.getMessage() for record in caplog.records]
    outcome = Outcome(case, request, answer, receiver, source, before, logged, closed)
    expected = [0 if status == "closed" else status for status in case["expect"]["status"]]
    assert answer.status in expected
    assert_named(outcome)
    assert_stored(outcome)
    for word in case["must_hold"]:
        if word not in ELSEWHERE:
            CHECKS[word](outcome)


def test_every_word_is_defined() -> None:
    words = {word for case in CASES for word in case["must_hold"]}

    assert words <= set(FILE["vocabulary"])
    assert words == set(CHECKS) | set(ELSEWHERE)


def test_the_cases_are_all_there() -> None:
    assert len(CASES) > 250


def converse(connection: socket.socket, case: Case, request: Request) -> Answer:
    send_all(connection, request.raw)
    answer = read_answer(connection, request.method)
    if "both_stored" not in case["must_hold"]:
        return answer
    raw = answer.raw
    while raw.count(b"HTTP/1.1 ") < 2:
        raw += connection.recv(65536)
    return parse_answer(raw)


def is_closed(connection: socket.socket) -> bool:
    with contextlib.suppress(ConnectionResetError):
        while connection.recv(65536):
            continue
    return True


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def assert_named(outcome: Outcome) -> None:
    field = outcome.case["expect"].get("error_field")
    if field:
        assert json.loads(outcome.answer.body)["field"] == field


def assert_stored(outcome: Outcome) -> None:
    for name, value in outcome.case.get("stored", {}).items():
        assert getattr(outcome.event, ATTRIBUTES.get(name, name)) == value


def event_once(outcome: Outcome) -> None:
    assert outcome.new_events == 1
    assert json.loads(outcome.answer.body) == {"ok": True, "seq": outcome.before.seq + 1}


def no_event(outcome: Outcome) -> None:
    assert outcome.new_events == 0


def both_stored(outcome: Outcome) -> None:
    assert outcome.new_events == 2


def no_5xx(outcome: Outcome) -> None:
    assert outcome.answer.status < 500
    assert outcome.receiver.is_alive
    assert not [line for line in outcome.logged if "Traceback" in line or "Exception" in line]


def rejected_listed(outcome: Outcome) -> None:
    listed = outcome.listed
    assert outcome.receiver.parts.journal.refused == outcome.before.refused + 1
    assert (listed.peer, listed.seq) == (outcome.source, None)
    assert listed.at >= now_ms() - 60_000
    assert listed.endpoint.lower() in outcome.request.raw.decode("latin-1").lower()
    assert listed.reason
    assert len(listed.sample) <= 256
    assert "0912345678" not in listed.sample


def json_error(outcome: Outcome) -> None:
    answer = json.loads(outcome.answer.body)
    assert outcome.answer.headers["content-type"] == "application/json"
    assert answer["ok"] is False
    assert answer["error"]
    offending = outcome.request.values.get(answer["field"], "").strip()
    assert not offending or offending not in answer["error"]


def flagged(outcome: Outcome) -> None:
    name = outcome.case["dropped_field"]
    assert name in outcome.event.flags
    assert outcome.receiver.parts.journal.flagged == outcome.before.flagged + 1
    assert name in outcome.listed.field.split(", ")
    assert outcome.listed.seq == outcome.receiver.parts.log.last_seq


def field_dropped(outcome: Outcome) -> None:
    name = str(outcome.case["dropped_field"])
    assert not getattr(outcome.event, ATTRIBUTES.get(name, name), None)


def extra_ignored(outcome: Outcome) -> None:
    received = outcome.receiver.parts.journal.received[-1]
    assert set(received.parameters) <= set(FIELDS)
    assert "AAAA" not in repr(outcome.event)


def clock_flagged(outcome: Outcome) -> None:
    assert isinstance(outcome.event, CallRecorded)
    assert outcome.event.started is not None
    assert "calldate" in outcome.event.flags


def labelled_other(outcome: Outcome) -> None:
    assert isinstance(outcome.event, CallRecorded)
    assert outcome.event.status == outcome.request.values["status"]


def log_one_line(outcome: Outcome) -> None:
    assert not [line for line in outcome.logged if "\n" in line or "\r" in line]


def tables_intact(outcome: Outcome) -> None:
    tables = outcome.receiver.call(
        outcome.receiver.parts.database.read("SELECT name FROM sqlite_master WHERE type = 'table'")
    )
    assert {"rejected_webhook", "webhook_counter", "webhook_token"} <= {name for (name,) in tables}


def others_ok(outcome: Outcome) -> None:
    target = f"/hook/{outcome.receiver.token}/api/callcenter/hangup?callid=other"
    answer = outcome.receiver.exchange(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert answer.status == 200


def counted_not_listed(outcome: Outcome) -> None:
    after = Counts.of(outcome.receiver)
    assert after.outsiders == outcome.before.outsiders + 1
    assert after.refused == outcome.before.refused


def secret_not_leaked(outcome: Outcome) -> None:
    journal, token = outcome.receiver.parts.journal, outcome.receiver.token
    told = [outcome.answer.text, repr(journal.received), repr(journal.rejected), *outcome.logged]
    assert not [text for text in told if token in text]


def admin_sees_old_token_in_use(outcome: Outcome) -> None:
    previous = outcome.receiver.parts.tokens.previous
    assert previous is not None
    assert previous.used_at is not None
    assert previous.expires_at > now_ms()


def admin_sees_blocked_address(outcome: Outcome) -> None:
    address, seen = outcome.receiver.parts.journal.bare.newest()[0]
    assert address == outcome.source
    assert seen.last_at >= now_ms() - 60_000


def no_redirect(outcome: Outcome) -> None:
    assert "location" not in outcome.answer.headers


def mem_bounded(outcome: Outcome) -> None:
    assert resident_bytes() - outcome.before.resident < 16 * MEBIBYTE


def connection_closed(outcome: Outcome) -> None:
    assert outcome.closed


def closed_within_15s(outcome: Outcome) -> None:
    assert outcome.answer.raw == b""


def server_level_reject_counted(outcome: Outcome) -> None:
    journal = outcome.receiver.parts.journal
    assert journal.unparsable.total == outcome.before.unparsable + 1
    assert journal.unparsable.newest()[0][0] == outcome.source


def no_second_request(outcome: Outcome) -> None:
    assert outcome.answer.raw.count(b"HTTP/1.1 ") == 1


def no_reflection(outcome: Outcome) -> None:
    assert "<script>" not in outcome.answer.text


CHECKS: dict[str, Callable[[Outcome], None]] = {
    "event_once": event_once,
    "no_event": no_event,
    # Nothing but an event changes the floor.
    "state_unchanged": no_event,
    "both_stored": both_stored,
    "no_5xx": no_5xx,
    "rejected_listed": rejected_listed,
    "json_error": json_error,
    "flagged": flagged,
    "field_dropped": field_dropped,
    "extra_ignored": extra_ignored,
    "clock_flagged": clock_flagged,
    "labelled_other": labelled_other,
    "log_one_line": log_one_line,
    "tables_intact": tables_intact,
    "others_ok": others_ok,
    "counted_not_listed": counted_not_listed,
    "secret_not_leaked": secret_not_leaked,
    "admin_sees_old_token_in_use": admin_sees_old_token_in_use,
    "admin_sees_blocked_address": admin_sees_blocked_address,
    "no_redirect": no_redirect,
    "mem_bounded": mem_bounded,
    "connection_closed": connection_closed,
    "closed_within_15s": closed_within_15s,
    "server_level_reject_counted": server_level_reject_counted,
    "no_second_request": no_second_request,
    "no_reflection": no_reflection,
}
# Words about what the receiver does not do, and who tests them.
ELSEWHERE = {
    "discovered_once": "the floor",
    "escaped": "rendering",
    "csv_cell_quoted": "the exports",
    "no_link": "rendering; a dropped recording is checked as a dropped field",
    "no_outbound": "whoever fetches recordings: a webhook makes the receiver open nothing",
}
