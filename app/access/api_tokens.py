"""Tokens for programs that read `/api/v1` and `/metrics`: named, listed, kept as digests only."""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiosqlite

from app.access.deleting import delete_rows
from app.access.sessions import key_of
from app.tables import Job, Tables, nothing

WRITTEN_EVERY_MS = 60_000

STEPS = (
    """CREATE TABLE api_token (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL UNIQUE CHECK (length(key) = 64),
        name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
        made_at INTEGER NOT NULL,
        made_by TEXT NOT NULL,
        used_at INTEGER
    ) STRICT""",
)


class TokenProblem(Exception):
    """The token is not made or removed; the text says why."""


@dataclass(slots=True)
class ApiToken:
    """One program's token. Times in ms since the epoch; `used_at` None: never."""

    token_id: int
    key: str
    name: str
    made_at: int
    made_by: str
    used_at: int | None = None
    written_at: int = 0


class ApiTokens:
    """All tokens, and the one from the environment (`given`). `clock` gives ms since the epoch."""

    def __init__(self, database: Tables, clock: Callable[[], int], given: str = "") -> None:
        self._database = database
        self._clock = clock
        self._given = key_of(given) if given else ""
        self._by_key: dict[str, ApiToken] = {}
        # Removed here, perhaps still on disk: a refresh must not bring them back.
        self._gone: set[str] = set()
        # … those that surely are, until a sweep gets them deleted.
        self._undeleted: set[str] = set()

    async def load(self) -> None:
        """Make the table and read what is stored."""
        await self._database.migrate("api_tokens", STEPS)
        self._database.on_changed(["api_token"], self.read_again)
        await self.read_again()

    async def refresh(self) -> None:
        """Read again if another program (`python -m app token …`) made a token."""
        newest = await self._database.read("SELECT key FROM api_token ORDER BY id DESC LIMIT 1")
        if newest and newest[0][0] not in self._by_key.keys() | self._gone:
            await self.read_again()

    async def read_again(self) -> None:
        """Read all: another node may have made, removed and used tokens."""
        known = set(self._by_key)
        rows = await self._database.read(
            "SELECT id, key, name, made_at, made_by, used_at FROM api_token"
        )
        stored = {row[1]: _from_row(row) for row in rows}
        for key in known - stored.keys():
            self._by_key.pop(key, None)
        for key in stored.keys() - self._gone:
            _used_elsewhere(self._by_key.setdefault(key, stored[key]), stored[key])

    def accepts(self, token: str) -> bool:
        """Whether a program may read with this token; a known one counts as used now."""
        key = key_of(token)
        if known := self._by_key.get(key):
            known.used_at = self._clock()
            return True
        return bool(self._given) and hmac.compare_digest(key, self._given)

    def all(self) -> list[ApiToken]:
        return sorted(self._by_key.values(), key=lambda token: token.name)

    def known(self, token_id: int) -> ApiToken:
        """The token of that id. Raises TokenProblem."""
        for token in self._by_key.values():
            if token.token_id == token_id:
                return token
        raise TokenProblem("There is no such token: it was removed already.")

    async def add(self, name: str, by: str, along: Job = nothing) -> str:
        """Make a token; its text is told this once. Raises TokenProblem.

        `along` is done in the same transaction.
        """
        name = name.strip()
        if not 1 <= len(name) <= 64 or not name.isprintable():
            raise TokenProblem("Name the program that will use it: 1 to 64 printable characters.")
        text = f"pw_{secrets.token_urlsafe(32)}"
        token = ApiToken(0, key_of(text), name, self._clock(), by)

        async def insert(connection: aiosqlite.Connection) -> int:
            await along(connection)
            return await _insert(connection, token)

        token.token_id = await self._database.write(insert)
        self._by_key[token.key] = token
        return text

    async def remove(self, token_id: int) -> ApiToken:
        """End a token at once. Raises TokenProblem."""
        token = self.known(token_id)
        self._gone.add(token.key)
        self._undeleted.add(token.key)
        del self._by_key[token.key]
        await self._delete_gone()
        return token

    async def _delete_gone(self) -> None:
        await delete_rows(self._database, "api_token", self._undeleted)

    async def sweep(self) -> None:
        """Delete what could not be deleted, write down which tokens were used.

        Call about once a minute.
        """
        await self._delete_gone()
        await self._write_used()

    async def _write_used(self) -> None:
        rough_ms = self._database.rough_s * 1000
        used = [
            each
            for each in self._by_key.values()
            if (each.used_at or 0) - each.written_at > rough_ms
        ]
        if not used:
            return

        async def update(connection: aiosqlite.Connection) -> None:
            await connection.executemany(
                "UPDATE api_token SET used_at = ? WHERE id = ?",
                [(each.used_at, each.token_id) for each in used],
            )

        await self._database.write(update)
        for each in used:
            each.written_at = each.used_at or 0


def _from_row(row: tuple[Any, ...]) -> ApiToken:
    token = ApiToken(*row)
    token.written_at = token.used_at or 0
    return token


def _used_elsewhere(token: ApiToken, stored: ApiToken) -> None:
    token.written_at = max(token.written_at, stored.written_at)
    if stored.written_at > (token.used_at or 0):
        token.used_at = stored.used_at


async def _insert(connection: aiosqlite.Connection, token: ApiToken) -> int:
    cursor = await connection.execute(
        "INSERT INTO api_token (key, name, made_at, made_by) VALUES (?, ?, ?, ?)",
        (token.key, token.name, token.made_at, token.made_by),
    )
    return cursor.lastrowid or 0
