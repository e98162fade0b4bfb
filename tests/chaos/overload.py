"""R16: ten times the provisioned rate and more, up to collapse, and back. Nothing is lost silently.

The load is open: webhooks come when they are due, however long the answers to others take.
"""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.running import TOKEN, Pitwall
from tests.senders import Answers, pace, quantile
from tests.served import request_of

# What a site is promised: ten times the busiest minute of two hundred agents.
PROVISIONED = 200.0
NORMAL_S = 0.25


@dataclass(frozen=True)
class Step:
    """One rate: what was sent, and per second accepted; seconds."""

    rate: float
    sent: int
    stored: int
    refused: int
    cut_off: int
    accepted_per_s: float
    p99_s: float
    refused_p99_s: float


@dataclass(frozen=True)
class Overload:
    """`stored` are in the database, `counted` is what the program says that it could not store."""

    steps: list[Step]
    recovered_s: float
    acknowledged: int
    stored: int
    doubled: int
    counted: int

    @property
    def refused(self) -> int:
        return sum(step.refused for step in self.steps)

    @property
    def cut_off(self) -> int:
        return sum(step.cut_off for step in self.steps)

    @property
    def nothing_is_lost_silently(self) -> bool:
        """What was sent is stored, or refused and counted; cut off it may be either."""
        at_most = self.acknowledged + self.cut_off
        return (
            self.acknowledged <= self.stored <= at_most
            and self.counted == self.refused
            and not self.doubled
        )


def overload(folder: Path, port: int, rates: list[float], seconds: float) -> Overload:
    """Each rate for some seconds, then the normal one until answers are quick again."""
    pitwall = Pitwall(port, folder)
    pitwall.start()
    try:
        steps, recovered, acknowledged = asyncio.run(_climb(port, rates, seconds))
    finally:
        pitwall.stop()
    kept = stored_calls(folder)
    doubled = len(kept) - len(set(kept))
    return Overload(steps, recovered, acknowledged, len(set(kept)), doubled, counted(folder))


async def _climb(port: int, rates: list[float], seconds: float) -> tuple[list[Step], float, int]:
    requests, steps, acknowledged = calls("o"), list[Step](), 0
    for rate in rates:
        answers = await pace(port, requests, rate, seconds)
        acknowledged += answers.statuses[200]
        steps.append(_step(rate, answers, seconds))
    recovered, since = await recovery(port, requests)
    return steps, recovered, acknowledged + since.statuses[200]


async def recovery(port: int, requests: Iterator[bytes]) -> tuple[float, Answers]:
    """Seconds until answers to the normal rate are quick again, and what they were meanwhile."""
    began, all_of_them = time.monotonic(), Answers()
    while True:
        answers = await pace(port, requests, 20, 1.0)
        all_of_them.statuses.update(answers.statuses)
        if answers.p99() < NORMAL_S and answers.statuses[200] == answers.sent:
            return time.monotonic() - began, all_of_them
        assert time.monotonic() - began < 60, "it does not recover"


def _step(rate: float, answers: Answers, seconds: float) -> Step:
    stored, cut_off = answers.statuses[200], answers.statuses[0]
    return Step(
        rate,
        answers.sent,
        stored,
        answers.sent - stored - cut_off,
        cut_off,
        stored / max(seconds, answers.lasted_s),
        answers.p99(),
        quantile(answers.refused_s, 0.99),
    )


def calls(mark: str, token: str = TOKEN) -> Iterator[bytes]:
    """Each call rings and ends, so that the floor stays of one size; `mark` begins its name."""
    for number in count():
        told = {"callid": f"{mark}{number // 2}"}
        if number % 2:
            yield request_of("/callcenter/hangup", token, **told)
        else:
            more = {"phone": "0906000111", "extension": str(100 + number % 200), "queue": "999"}
            yield request_of("/callcenter/call_in", token, event="RING", **told, **more)


def stored_calls(folder: Path) -> list[str]:
    """Kind and call id of every webhook in the database."""
    with contextlib.closing(sqlite3.connect(folder / "pitwall.db")) as database:
        sql = "SELECT kind || json_extract(body, '$.callid') FROM event WHERE kind LIKE 'call_%'"
        return [text for (text,) in database.execute(sql)]


def counted(folder: Path) -> int:
    """What the program counted as understood and not stored."""
    with contextlib.closing(sqlite3.connect(folder / "pitwall.db")) as database:
        sql = "SELECT value FROM webhook_counter WHERE name = 'unstored'"
        return sum(int(value) for (value,) in database.execute(sql))
