"""A row of the audit: what it says, how it is stored, and how it is chained to the row before."""

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

from app.masking import masked_words

# What is recorded and how; a row says under which rules it was written.
POLICY = "1"
LONGEST_REASON = 200
LONGEST_OUTCOME = 200
LONGEST_TEXT = 128
FIRST_HASH = "0" * 64

STEPS = (
    """CREATE TABLE audit (
        seq INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('intent', 'result', 'denied', 'done')),
        intent INTEGER,
        actor_id INTEGER NOT NULL,
        actor_name TEXT NOT NULL,
        actor_role TEXT NOT NULL,
        session TEXT NOT NULL,
        address TEXT NOT NULL,
        action TEXT NOT NULL,
        mode TEXT NOT NULL,
        extension TEXT NOT NULL,
        agent_name TEXT NOT NULL,
        callid TEXT NOT NULL,
        queue TEXT NOT NULL,
        direction TEXT NOT NULL,
        number_end TEXT NOT NULL CHECK (length(number_end) <= 3),
        number_hmac TEXT NOT NULL,
        reason TEXT NOT NULL CHECK (length(reason) <= 200),
        outcome TEXT NOT NULL CHECK (length(outcome) <= 200),
        policy TEXT NOT NULL,
        previous TEXT NOT NULL CHECK (length(previous) = 64),
        hash TEXT NOT NULL CHECK (length(hash) = 64)
    ) STRICT""",
    """CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END""",
    """CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END""",
    # INSERT OR REPLACE deletes without the trigger above, unless this one is in its way.
    """CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit
        WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)
        BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END""",
    "CREATE INDEX audit_number ON audit (number_hmac) WHERE number_hmac != ''",
    """CREATE TABLE audit_key (
        number INTEGER PRIMARY KEY CHECK (number = 1),
        key BLOB NOT NULL
    ) STRICT""",
    # Where the chain begins since older rows were purged: the last of them, and its hash.
    """CREATE TABLE audit_anchor (
        seq INTEGER PRIMARY KEY,
        hash TEXT NOT NULL CHECK (length(hash) = 64),
        purged_at INTEGER NOT NULL
    ) STRICT""",
)
# One of the steps above, by name: a purge takes it away and puts it back in one transaction.
NO_DELETE = STEPS[2]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it, with the role of that moment. `user_id` 0: nobody who is signed in."""

    user_id: int = 0
    name: str = ""
    role: str = ""
    session: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done, to whom and why. `phone` is the customer's number: only its end is kept."""

    action: str
    mode: str = ""
    extension: str = ""
    agent_name: str = ""
    callid: str = ""
    queue: str = ""
    direction: str = ""
    phone: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One row as stored. `at` is ms since the epoch, UTC; `intent` the seq a result belongs to."""

    seq: int
    at: int
    kind: str
    intent: int | None
    actor_id: int
    actor_name: str
    actor_role: str
    session: str
    address: str
    action: str
    mode: str
    extension: str
    agent_name: str
    callid: str
    queue: str
    direction: str
    number_end: str
    number_hmac: str
    reason: str
    outcome: str
    policy: str
    previous: str
    hash: str = ""

    @property
    def digest(self) -> str:
        """What `hash` must be: everything else of the row, the previous row's hash among it."""
        said = {name: getattr(self, name) for name in NAMES[:-1]}
        canonical = json.dumps(said, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


NAMES = tuple(field.name for field in fields(AuditRow))
COLUMNS = ", ".join(NAMES)
INSERT = f"INSERT INTO audit ({COLUMNS}) VALUES ({', '.join('?' * len(NAMES))})"  # noqa: S608 (names)


def values_of(row: AuditRow) -> tuple[Any, ...]:
    return astuple(row)


def row_of(stored: Sequence[Any]) -> AuditRow:
    return AuditRow(*stored)


def number_hmac(key: bytes, phone: str) -> str:
    """The same number gives the same text, so that a person's rows are found without keeping it."""
    digits = digits_of(phone)
    return hmac.new(key, digits.encode(), hashlib.sha256).hexdigest() if digits else ""


def digits_of(phone: str) -> str:
    return re.sub(r"[^0-9]", "", phone)


def plain(text: str, longest: int = LONGEST_TEXT) -> str:
    """The text as it can always be stored and shown: no control characters, not too long."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return shown[:longest]


def without_numbers(text: str, longest: int) -> str:
    """The same of words that a person typed or the PBX said: in a row that can't be changed."""
    return plain(masked_words(text), longest)
