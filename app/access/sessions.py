"""Who is signed in: sessions kept on the server, ended at once, never trusted to the browser.

The database keeps a digest of each session's id, so a stolen copy of it opens nothing. Everything
is asked of memory; ages are measured on a monotonic clock, because a wall clock that jumps must
sign nobody out.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import aiosqlite

from app.access.deleting import delete_rows
from app.tables import Tables

IDLE_S = 60 * 60
LONGEST_S = 12 * 60 * 60
CONFIRMED_S = 10 * 60
WRITTEN_EVERY_S = 60
PER_USER = 20

STEPS = (
    """CREATE TABLE session (
        key TEXT PRIMARY KEY CHECK (length(key) = 64),
        user_id INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        seen_at INTEGER NOT NULL,
        address TEXT NOT NULL CHECK (length(address) <= 64),
        browser TEXT NOT NULL CHECK (length(browser) <= 200)
    ) STRICT""",
    "CREATE INDEX session_user ON session (user_id)",
)


class Ending(StrEnum):
    """Why a board must let go of its socket."""

    SIGNED_OUT = "signed out"
    CHANGED = "changed"


class Watch:
    """Lets any number of sockets wait for one piece of news."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self._ending = Ending.SIGNED_OUT

    def ring(self, ending: Ending) -> None:
        self._ending = ending
        self._rung.set()

    async def wait(self) -> Ending:
        await self._rung.wait()
        return self._ending


@dataclass(slots=True)
class Session:
    """One signed-in browser. `created_at`, `seen_at`: ms since the epoch, for people to read.

    `began`, `touched`, `confirmed` and `written` are seconds of the monotonic clock.
    """

    key: str
    user_id: int
    created_at: int
    seen_at: int
    address: str
    browser: str
    began: float
    touched: float
    written: float
    confirmed: float = float("-inf")
    boards: int = 0
    watch: Watch = field(default_factory=Watch)


def key_of(secret: str) -> str:
    """The digest under which a session id, wall token or link is kept."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _row(session: Session) -> tuple[object, ...]:
    return (
        session.key,
        session.user_id,
        session.created_at,
        session.seen_at,
        session.address,
        session.browser,
    )


class Sessions:
    """All sessions. `clock` gives ms since the epoch, `monotonic` seconds."""

    def __init__(
        self, database: Tables, clock: Callable[[], int], monotonic: Callable[[], float]
    ) -> None:
        self._database = database
        self._clock = clock
        self._now = monotonic
        self._live: dict[str, Session] = {}
        # Ended here, perhaps still on disk: neither a refresh nor a full disk may bring them back.
        self._gone: set[str] = set()

    async def load(self) -> None:
        """Make the tables and read what is stored."""
        await self._database.migrate("sessions", STEPS)
        self._database.on_changed(["session"], self.refresh)
        await self.refresh()

    async def refresh(self) -> None:
        """Read again what another node may have written."""
        known = list(self._live)
        rows = await self._database.read(
            "SELECT key, user_id, created_at, seen_at, address, browser FROM session"
        )
        stored = {str(row[0]): row for row in rows}
        self.forget(key for key in known if key not in stored)
        self._gone &= stored.keys()
        for key, row in stored.items():
            if session := self._live.get(key):
                self._seen_elsewhere(session, seen_at=int(row[3]))
            elif key not in self._gone:
                self._live[key] = self._restored(row)

    def _seen_elsewhere(self, session: Session, seen_at: int) -> None:
        """Somebody who uses another node is not idle, and need not be written down here."""
        if seen_at > session.seen_at:
            session.seen_at = seen_at
            touched = self._now() - max(0, self._clock() - seen_at) / 1000
            session.touched = max(session.touched, touched)
            session.written = max(session.written, touched)

    def _restored(self, row: tuple[Any, ...]) -> Session:
        _, _, created_at, seen_at, _, _ = row
        at, now = self._clock(), self._now()
        began = now - max(0, at - created_at) / 1000
        touched = now - max(0, at - seen_at) / 1000
        return Session(*row, began, touched, now)  # type: ignore[call-arg]  # mypy miscounts

    async def open(self, user_id: int, address: str, browser: str) -> str:
        """Sign a browser in: the new session's id, which only the cookie will ever hold."""
        secret = secrets.token_urlsafe(32)
        session = self._fresh(key_of(secret), user_id, address[:64], browser[:200])

        async def insert(connection: aiosqlite.Connection) -> None:
            await connection.execute(
                "INSERT INTO session (key, user_id, created_at, seen_at, address, browser)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                _row(session),
            )

        await self._database.write(insert)
        self._live[session.key] = session
        await self.end(self._beyond_the_cap(user_id))
        return secret

    def _fresh(self, key: str, user_id: int, address: str, browser: str) -> Session:
        at, now = self._clock(), self._now()
        return Session(key, user_id, at, at, address, browser, now, now, now, confirmed=now)

    def _beyond_the_cap(self, user_id: int) -> list[str]:
        mine = sorted(self.of(user_id), key=lambda session: session.touched, reverse=True)
        return [session.key for session in mine[PER_USER:]]

    def find(self, secret: str) -> Session | None:
        """The live session with this id, if there is one; it counts as used now."""
        session = self._live.get(key_of(secret)) if 0 < len(secret) <= 128 else None
        if session is None or self._is_over(session):
            return None
        self._touch(session)
        return session

    def by_key(self, key: str) -> Session | None:
        """The live session under this digest, without counting as a use of it."""
        session = self._live.get(key)
        return None if session is None or self._is_over(session) else session

    def _touch(self, session: Session) -> None:
        session.touched = self._now()
        session.seen_at = self._clock()

    def _is_over(self, session: Session) -> bool:
        now = self._now()
        idle = now - session.touched > IDLE_S and not session.boards
        return idle or now - session.began > LONGEST_S

    def of(self, user_id: int) -> list[Session]:
        return [session for session in self._live.values() if session.user_id == user_id]

    def all(self) -> list[Session]:
        return sorted(self._live.values(), key=lambda session: session.seen_at, reverse=True)

    def confirm(self, key: str) -> None:
        """The password was given again just now."""
        if session := self._live.get(key):
            session.confirmed = self._now()

    def is_confirmed(self, key: str) -> bool:
        """Whether the password was given within the last ten minutes."""
        session = self._live.get(key)
        return session is not None and self._now() - session.confirmed <= CONFIRMED_S

    @contextmanager
    def open_board(self, key: str) -> Iterator[None]:
        """While this lasts the session is not idle."""
        session = self._live.get(key)
        if session is None:
            yield
            return
        session.boards += 1
        try:
            yield
        finally:
            session.boards -= 1
            self._touch(session)

    def boards_of(self, user_id: int) -> int:
        """How many boards this user has open, in all browsers."""
        return sum(session.boards for session in self.of(user_id))

    async def wait_ended(self, key: str) -> Ending:
        """Return as soon as the session is over, or what it may see has changed."""
        session = self._live.get(key)
        return Ending.SIGNED_OUT if session is None else await session.watch.wait()

    async def end(self, keys: Iterable[str]) -> None:
        """End these sessions; their sockets hear of it at once."""
        # Out of memory before the disk is asked: a full disk must not keep anybody signed in.
        self.forget(keys)
        await self.delete_gone()

    async def delete_gone(self) -> None:
        """Take the rows away of those that were forgotten. Raises DatabaseUnavailable."""
        await delete_rows(self._database, "session", self._gone)

    def keys_of(self, user_id: int) -> list[str]:
        """The keys of this user's sessions."""
        return [session.key for session in self.of(user_id)]

    def forget(self, keys: Iterable[str]) -> None:
        """Let go of the sessions and ring their sockets; the rows are deleted later."""
        for key in list(keys):
            if session := self._live.pop(key, None):
                self._gone.add(key)
                session.watch.ring(Ending.SIGNED_OUT)

    def changed(self, user_id: int) -> None:
        """What this user may see is another now: open boards come back with the new view."""
        for session in self.of(user_id):
            session.watch, rung = Watch(), session.watch
            rung.ring(Ending.CHANGED)

    async def sweep(self) -> None:
        """End what is over, write down who was seen. Call about once a minute."""
        for session in self._live.values():
            if session.boards:
                self._touch(session)
        await self.end([key for key, session in self._live.items() if self._is_over(session)])
        await self._write_seen()

    async def _write_seen(self) -> None:
        rough_s = self._database.rough_s
        seen = [each for each in self._live.values() if each.touched - each.written > rough_s]
        if not seen:
            return

        async def update(connection: aiosqlite.Connection) -> None:
            await connection.executemany(
                "UPDATE session SET seen_at = ? WHERE key = ?",
                [(each.seen_at, each.key) for each in seen],
            )

        await self._database.write(update)
        for each in seen:
            each.written = self._now()
