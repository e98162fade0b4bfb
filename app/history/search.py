"""Finding calls: filters, and pages that stay the same while new calls come in.

The newest first; a page's cursor names its last call, so what happens meanwhile moves nothing.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec

from app.database import Database
from app.domain.numbers import KEY_DIGITS, digits_of
from app.history.rows import OUTCOMES
from app.sentences import Sentence

MOST = 500
# What fits into a column.
Moment = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
FEWEST_PHONE_DIGITS = 3
COLUMNS = (
    "callid, first_seen, direction, outcome, phone, did, queues, agent, started, answered_at, "
    "ended_at, wait_ms, talk_ms, recording, exact, inferred, lost"
)


class WrongFilter(ValueError):
    """A filter that can't be meant: a sentence says which, and what is expected."""


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call as the history has it. Times in ms since the epoch; numbers are whole.

    `outcome` is one of rows.OUTCOMES; `wait_ms` is the PBX's own figure where `exact`, else the
    time since first sight (a lower bound); `inferred`: nobody told how it ended, we concluded it.
    """

    callid: str
    first_seen: int
    direction: str
    outcome: str
    phone: str
    did: str
    queues: tuple[str, ...]
    agent: str
    started: int | None
    answered_at: int | None
    ended_at: int | None
    wait_ms: int | None
    talk_ms: int | None
    recording: str
    exact: bool
    inferred: bool
    lost: bool


@dataclass(frozen=True, slots=True)
class CallFilter:
    """What to look for; empty means anything. `since` ≤ first sight < `until`, in ms.

    `phone` is the end of the number (three digits or more); `*123` finds 123 anywhere in it.
    `queues` are those the asker may see (None: all): only calls that were in one of them.
    """

    since: int | None = None
    until: int | None = None
    queue: str = ""
    agent: str = ""
    outcome: str = ""
    direction: str = ""
    phone: str = ""
    queues: frozenset[str] | None = None

    def conditions(self) -> tuple[list[str], list[object]]:
        """SQL conditions and their parameters. Raises WrongFilter."""
        found: list[tuple[str, list[object]]] = []
        if self.since is not None:
            found.append(("first_seen >= ?", [self.since]))
        if self.until is not None:
            found.append(("first_seen < ?", [self.until]))
        if self.outcome:
            # One of our own words, written out: only so an index of abandoned calls is used.
            found.append((f"outcome = '{_one_of('outcome', self.outcome, OUTCOMES)}'", []))
        if self.direction:
            words = ("inbound", "outbound")
            found.append(("direction = ?", [_one_of("direction", self.direction, words)]))
        if self.queue:
            found.append((f"EXISTS ({VISITED} AND queue = ?)", [self.queue]))
        if self.queues is not None:
            names = msgspec.json.encode(sorted(self.queues)).decode()
            inside = "queue IN (SELECT value FROM json_each(?))"
            found.append((f"EXISTS ({VISITED} AND {inside})", [names]))
        if self.agent:
            found.append((f"(agent = ? OR EXISTS ({TOOK_PART}))", [self.agent, self.agent]))
        if self.phone:
            found.append(_phone(self.phone))
        return [sql for sql, _ in found], [value for _, values in found for value in values]


VISITED = (
    "SELECT 1 FROM visit WHERE visit.first_seen = call.first_seen AND visit.callid = call.callid"
)
TOOK_PART = (
    "SELECT 1 FROM leg WHERE leg.first_seen = call.first_seen AND leg.callid = call.callid "
    "AND leg.extension = ? AND leg.answered_at IS NOT NULL"
)


def _one_of(name: str, value: str, words: Sequence[str]) -> str:
    if value not in words:
        why = Sentence("{name} is one of {words}; '{value}' is none of them.")
        raise WrongFilter(why.filled(name=name, words=", ".join(words), value=value))
    return value


def _phone(phone: str) -> tuple[str, list[object]]:
    digits = digits_of(phone)
    if len(digits) < FEWEST_PHONE_DIGITS:
        raise WrongFilter("phone is the end of a number: three digits or more, or * and digits.")
    if phone.startswith("*"):
        return "instr(backwards, ?)", [digits[::-1]]
    # With or without the country's code: the last nine digits are what routes have in common.
    end = digits[-KEY_DIGITS:] if len(digits) > KEY_DIGITS else digits
    # As text the range is every number that ends in these digits; "+" leaves no other index.
    return "backwards >= ? AND backwards < ?", [end[::-1], end[::-1] + ":"]


@dataclass(frozen=True, slots=True)
class CallPage:
    """Some calls, the newest first; `cursor` asks for the next ones, None at the end."""

    calls: list[CallRow]
    cursor: str | None


async def search_calls(
    database: Database, wanted: CallFilter, cursor: str = "", limit: int = 50
) -> CallPage:
    """One page of the calls that are wanted. Raises WrongFilter, DatabaseUnavailable."""
    limit = max(1, min(limit, MOST))
    where, values = wanted.conditions()
    if cursor:
        where.append("(first_seen, callid) < (?, ?)")
        values += _opened(cursor)
    table = "call"
    if wanted.phone and not wanted.phone.startswith("*"):
        table = "call INDEXED BY call_backwards"
    sql = (
        f"SELECT {COLUMNS} FROM {table} WHERE {' AND '.join(where) or 'true'} "  # noqa: S608 (our names)
        "ORDER BY first_seen DESC, callid DESC LIMIT ?"
    )
    rows = [call_row_of(row) for row in await database.read(sql, [*values, limit + 1])]
    page = rows[:limit]
    return CallPage(page, _sealed(page[-1]) if len(rows) > limit else None)


async def find_call(database: Database, callid: str) -> CallRow | None:
    """The newest call of that id."""
    sql = f"SELECT {COLUMNS} FROM call WHERE callid = ? ORDER BY first_seen DESC LIMIT 1"  # noqa: S608 (our names)
    rows = await database.read(sql, (callid,))
    return call_row_of(rows[0]) if rows else None


async def calls_seen_at(database: Database, first_seen: int) -> list[CallRow]:
    """The calls first seen in that millisecond; there is rarely more than one."""
    sql = f"SELECT {COLUMNS} FROM call WHERE first_seen = ?"  # noqa: S608 (our names)
    return [call_row_of(row) for row in await database.read(sql, (first_seen,))]


async def took_part(database: Database, call: CallRow) -> list[str]:
    """The extensions that answered, missed or placed the call."""
    sql = "SELECT extension FROM leg WHERE first_seen = ? AND callid = ?"
    rows = await database.read(sql, (call.first_seen, call.callid))
    return [*dict.fromkeys([*(extension for (extension,) in rows), call.agent])]


def call_row_of(row: Sequence[object]) -> CallRow:
    """A row of COLUMNS as a value."""
    values = list(row)
    values[6] = tuple(msgspec.json.decode(str(values[6])))
    values[-3:] = [bool(value) for value in values[-3:]]
    return CallRow(*values)  # type: ignore[arg-type]  # they come as COLUMNS says


def _sealed(row: CallRow) -> str:
    body = msgspec.json.encode([row.first_seen, row.callid])
    return base64.urlsafe_b64encode(body).decode().rstrip("=")


def _opened(cursor: str) -> tuple[int, str]:
    try:
        body = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(body, type=tuple[Moment, str])
    except (ValueError, msgspec.DecodeError, msgspec.ValidationError) as error:
        raise WrongFilter(
            "cursor is what the page before this one gave as its cursor, unchanged."
        ) from error
