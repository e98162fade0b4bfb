"""T4, T5, T8: senders gone mad, in whole counts: all is stored or counted, nothing grows."""

import argparse
from pathlib import Path

from app.domain.caps import USUAL
from app.webhook_journal import KEPT
from tests.chaos.crowd import resident_mebibytes
from tests.chaos.flooded import Flooded, at_a_rate, numbered
from tests.chaos.verdict import ACK_S, Judged, told
from tests.running import TOKEN
from tests.served import request_of

EXTENSIONS = QUEUES = 10_000
CALLS = 100_000
# With these all caps are reached: what comes after them must cost no memory.
FIRST_CALLS = 10_000
GUESSES_PER_S, GUESSING_S = 1000, 10
MALFORMED = 20_000
MORE_MEBIBYTES, MORE_ON_DISK = 16, 8 * 1024**2
FULL = [USUAL.agents, USUAL.queues, USUAL.calls]
WARNINGS = ("named more agents", "named more queues", "more calls go on")
STORED_CALLS = """SELECT count(DISTINCT json_extract(body, '$.callid')) FROM event
    WHERE kind = 'call_ringing'"""
STORED_PHONES = """SELECT count(DISTINCT json_extract(body, '$.extension')) FROM event
    WHERE kind = 'phone_reported' AND CAST(json_extract(body, '$.extension') AS INTEGER) >= 1000"""
COUNTER = "SELECT sum(value) FROM webhook_counter WHERE name = '{}'"


def extension(number: int) -> bytes:
    return request_of("/Agent/ChangeStatus", TOKEN, extension=str(1000 + number), status="on")


def queue(number: int) -> bytes:
    return call(f"q{number}", queue=f"q{number}")


def call(callid: object, **more: str) -> bytes:
    words = {"callid": f"c{callid}", "phone": "0906000111", "event": "RING", **more}
    return request_of("/callcenter/call_in", TOKEN, **words)


def malformed(number: int) -> bytes:
    return request_of("/Agent/ChangeStatus", TOKEN, extension="101", status=f"no{number}")


def guess(number: int) -> bytes:
    return request_of("/Agent/ChangeStatus", "x" * 43, extension=str(number), status="on")


def t8_floods(folder: Path, options: argparse.Namespace) -> Judged:
    """Extensions, queues and calls without end: stored, shown up to the caps, and told of."""
    flooded = Flooded(folder)
    with flooded.running():
        answers = [flooded.by(numbered, extension, 0, EXTENSIONS)]
        answers.append(flooded.by(numbered, queue, 0, QUEUES))
        answers.append(flooded.by(numbered, call, 0, FIRST_CALLS))
        memory = resident_mebibytes(flooded.pitwall)
        answers.append(flooded.by(numbered, call, FIRST_CALLS, CALLS))
        grown = resident_mebibytes(flooded.pitwall) - memory
        acknowledged = sum(each.statuses[200] for each in answers)
        floor = flooded.floor_after(acknowledged + len(flooded.beside.answered_s))
        page = flooded.page("/admin")
    refused = flooded.rows(COUNTER.format("unstored"))
    found: dict[str, object] = {
        "sent": sum(each.sent for each in answers),
        "acknowledged": acknowledged,
        "stored": flooded.rows(STORED_CALLS) + flooded.rows(STORED_PHONES),
        "refused and counted": refused,
        "agents, queues, calls shown": [len(floor[name]) for name in ("agents", "queues", "calls")],
        "warnings": [words for words in WARNINGS if words in page],
        "grown past the caps, MiB": grown,
        **flooded.beside.found,
    }
    good = (
        found["stored"] == acknowledged
        and found["sent"] == acknowledged + refused
        and found["agents, queues, calls shown"] == FULL
        and found["warnings"] == list(WARNINGS)
        and grown <= MORE_MEBIBYTES
        and flooded.beside.is_unharmed(ACK_S)
    )
    return good, told(found)


def t5_guesses(folder: Path, options: argparse.Namespace) -> Judged:
    """Guesses of the token, and malformed webhooks with the right one: counted, and no more."""
    flooded = Flooded(folder)
    with flooded.running():
        flooded.by(numbered, call, 0, 1)
        memory, size = resident_mebibytes(flooded.pitwall), flooded.on_disk()
        guesses = flooded.by(at_a_rate, guess, GUESSES_PER_S, GUESSING_S)
        wrong = flooded.by(numbered, malformed, 0, MALFORMED)
        grown = resident_mebibytes(flooded.pitwall) - memory
        more_on_disk = flooded.on_disk() - size
    found: dict[str, object] = {
        "guesses": dict(guesses.statuses),
        "counted": flooded.rows(COUNTER.format("wrong_token")),
        "malformed": dict(wrong.statuses),
        "counted as refused": flooded.rows(COUNTER.format("refused")),
        "listed": flooded.rows("SELECT count(*) FROM rejected_webhook"),
        "grown, MiB": grown,
        "more on disk, MiB": more_on_disk / 1024**2,
        **flooded.beside.found,
    }
    good = (
        set(guesses.statuses) == {404, 429}
        and found["counted"] == guesses.sent
        and set(wrong.statuses) == {422}
        and found["counted as refused"] == MALFORMED
        and found["listed"] == KEPT
        and grown <= MORE_MEBIBYTES
        and more_on_disk <= MORE_ON_DISK
        and flooded.beside.is_unharmed(ACK_S)
    )
    return good, told(found)


TRIALS = (t8_floods, t5_guesses)
