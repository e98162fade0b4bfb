"""What the PBX sent lately and what became of it, for the diagnostics page. All of it bounded.

The rejected list and the counters survive a restart; they are written together twice a second,
so that a flood costs no commit each and a crash loses half a second of them. How many webhooks
were *accepted* is not here: the log knows that exactly.
"""

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import astuple

from app.database import Database, DatabaseUnavailable
from app.inserting import insert_all
from app.masking import masked, masked_body
from app.pbx import WebhookError
from app.peers import PeerCounts
from app.received import BODY, SAMPLE_LENGTH, Received, Rejected, of_refused, of_stored

KEPT = 1_000
FLUSH_S = 0.5
STEPS = (
    """CREATE TABLE rejected_webhook (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        peer TEXT NOT NULL,
        endpoint TEXT NOT NULL,
        field TEXT NOT NULL,
        reason TEXT NOT NULL,
        sample TEXT NOT NULL CHECK (length(sample) <= 256),
        seq INTEGER
    ) STRICT""",
    """CREATE TABLE webhook_counter (
        name TEXT PRIMARY KEY,
        value INTEGER NOT NULL
    ) STRICT""",
)
REJECTED = "INSERT INTO rejected_webhook (at, peer, endpoint, field, reason, sample, seq)"
log = logging.getLogger(__name__)


class WebhookJournal:
    """Newest last in `received` and `rejected`; `counters` count since the database was made."""

    def __init__(
        self, database: Database, clock: Callable[[], int], unparsable: PeerCounts
    ) -> None:
        self._database = database
        self._clock = clock
        self._has_failed = False
        self._unwritten: deque[Rejected] = deque(maxlen=KEPT)
        self._written: dict[str, int] = {}
        self._stop = asyncio.Event()
        self.received: deque[Received] = deque(maxlen=KEPT)
        self.rejected: deque[Rejected] = deque(maxlen=KEPT)
        self.wrong_tokens = PeerCounts(clock)
        self.bare = PeerCounts(clock)
        self.unparsable = unparsable
        self.accepted = 0
        """Since this start only."""
        self.flagged = 0
        self.refused = 0
        self.unstored = 0

    @classmethod
    async def open(
        cls, database: Database, clock: Callable[[], int], unparsable: PeerCounts | None = None
    ) -> "WebhookJournal":
        """Read what is kept. `unparsable` is what the HTTP protocol counts into."""
        journal = cls(database, clock, unparsable or PeerCounts(clock))
        await database.migrate("webhook_journal", STEPS)
        await journal._load()
        return journal

    def accept(
        self,
        peer: str,
        endpoint: str,
        told: Mapping[str, str] | bytes,
        seq: int,
        flags: tuple[str, ...],
    ) -> None:
        """A webhook was stored as `seq`, without the fields in `flags`; `told`: see Received."""
        received = self._received(peer, endpoint, told, seq, flags)
        self.accepted += 1
        if flags:
            self.flagged += 1
            self._reject(received, ", ".join(flags), "stored, but this field is missing or odd")

    def refuse(
        self,
        peer: str,
        endpoint: str,
        params: Mapping[str, str],
        error: WebhookError,
        body: bytes = b"",
    ) -> None:
        """A webhook with a right token could not be understood; `body` is kept if nothing was."""
        self.refused += 1
        if not params and body:
            params = {BODY: masked_body(body[:SAMPLE_LENGTH])}
        # Whoever sends nonsense may write anything into it.
        told = masked("endpoint", endpoint[:SAMPLE_LENGTH])
        received = self._received(peer, told, params, None, field=error.field, reason=str(error))
        self._reject(received, error.field, str(error))

    def count_wrong_token(self, peer: str) -> int:
        """Somebody without the token; returns how often this address did so within a minute."""
        return self.wrong_tokens.add(peer)

    def count_bare(self, peer: str) -> None:
        """A webhook without any token from an address that is not allowed."""
        self.bare.add(peer)

    def count_unstored(self) -> None:
        """A webhook was understood but could not be stored; the sender heard 503."""
        self.unstored += 1

    def forget(self, before: int) -> None:
        """Rejected ones from before that moment (ms) are shown no more."""
        kept = [each for each in self.rejected if each.at >= before]
        self.rejected.clear()
        self.rejected.extend(kept)

    @property
    def counters(self) -> dict[str, int]:
        """The counters that are kept, by name."""
        return {
            "refused": self.refused,
            "flagged": self.flagged,
            "unstored": self.unstored,
            "wrong_token": self.wrong_tokens.total,
            "bare": self.bare.total,
            "unparsable": self.unparsable.total,
        }

    async def run(self) -> None:
        """Write what is new twice a second, until `close`."""
        while not self._stop.is_set():
            await self.flush()
            with suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_S):
                    await self._stop.wait()

    async def close(self) -> None:
        """End `run` and write the rest."""
        self._stop.set()
        await self.flush()

    async def flush(self) -> None:
        """Write what is new. Where the database is out of order, it stays new."""
        rows, counters = list(self._unwritten), self.counters
        if not rows and counters == self._written:
            return
        # Out of the list before the write: the database goes on writing when we are cancelled.
        self._unwritten.clear()

        def write(connection: sqlite3.Connection) -> None:
            insert_all(connection, REJECTED, [astuple(each) for each in rows])
            connection.execute(
                "DELETE FROM rejected_webhook"
                " WHERE id <= (SELECT max(id) FROM rejected_webhook) - ?",
                (KEPT,),
            )
            insert_all(connection, "REPLACE INTO webhook_counter", [*counters.items()])

        try:
            await self._database.write_at_once(write)
        except DatabaseUnavailable:
            if not self._has_failed:
                log.warning(
                    "The list of rejected webhooks could not be saved; it will be tried again."
                )
            self._has_failed = True
            self._unwritten = deque([*rows, *self._unwritten], maxlen=KEPT)
        else:
            self._written, self._has_failed = counters, False

    def _received(
        self,
        peer: str,
        endpoint: str,
        told: Mapping[str, str] | bytes,
        seq: int | None,
        flags: tuple[str, ...] = (),
        field: str = "",
        reason: str = "",
    ) -> Received:
        if not isinstance(told, bytes):
            told = of_refused(told) if seq is None else of_stored(told)
        endpoint = endpoint[:SAMPLE_LENGTH]
        received = Received(self._clock(), peer, endpoint, told, seq, flags, field, reason)
        self.received.append(received)
        return received

    def _reject(self, received: Received, field: str, reason: str) -> None:
        sample = "&".join(f"{name}={value}" for name, value in received.shown().items())
        rejected = Rejected(
            received.at,
            received.peer,
            received.endpoint,
            field,
            reason,
            sample[:SAMPLE_LENGTH],
            received.seq,
        )
        self.rejected.append(rejected)
        self._unwritten.append(rejected)

    async def _load(self) -> None:
        rows = await self._database.read(
            "SELECT at, peer, endpoint, field, reason, sample, seq FROM rejected_webhook"
            " ORDER BY id DESC LIMIT ?",
            (KEPT,),
        )
        self.rejected.extend(Rejected(*row) for row in reversed(rows))
        kept = dict(await self._database.read("SELECT name, value FROM webhook_counter"))
        self.refused = kept.get("refused", 0)
        self.flagged = kept.get("flagged", 0)
        self.unstored = kept.get("unstored", 0)
        self.wrong_tokens.total += kept.get("wrong_token", 0)
        self.bare.total += kept.get("bare", 0)
        self.unparsable.total += kept.get("unparsable", 0)
        self._written = self.counters
