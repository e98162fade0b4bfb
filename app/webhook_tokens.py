"""The secret in the webhook address: the present one, and the one before it for a time of grace.

Only digests are kept. A token is told once, by who made it: at the first start and on rotation.
"""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import aiosqlite

from app.sentences import Sentence
from app.tables import Job, Tables, nothing

STEPS = (
    """CREATE TABLE webhook_token (
        id INTEGER PRIMARY KEY,
        digest BLOB NOT NULL CHECK (length(digest) = 32),
        made_at INTEGER NOT NULL,
        expires_at INTEGER
    ) STRICT""",
)
WEEK_S = 7 * 86_400
GIVEN = Sentence("The webhook token is set by PITWALL_WEBHOOK_TOKEN; change it there.")


@dataclass(slots=True)
class Previous:
    """The token before the present one: until when it works and when it was last used (ms)."""

    digest: bytes
    expires_at: int
    used_at: int | None = None


class WebhookTokens:
    """Which tokens open the hook. `made` is the new token's text where this start made one."""

    def __init__(self, database: Tables, clock: Callable[[], int], given: str | None) -> None:
        self._database = database
        self._clock = clock
        self._current = digest_of(given.encode()) if given else b""
        self.is_given = given is not None
        self.previous: Previous | None = None
        self.made: str | None = None

    @classmethod
    async def open(
        cls, database: Tables, clock: Callable[[], int], given: str | None = None
    ) -> "WebhookTokens":
        """Read the kept tokens, or make the first. A `given` one is used instead of any kept."""
        tokens = cls(database, clock, given)
        await database.migrate("webhook_token", STEPS)
        if not given:
            database.on_changed(["webhook_token"], tokens.refresh)
            await tokens._load()
        return tokens

    def accepts(self, token: bytes) -> bool:
        """The token is the present one, or the previous one within its grace."""
        digest, previous = digest_of(token), self.previous
        if hmac.compare_digest(digest, self._current):
            return True
        if previous is None or not hmac.compare_digest(digest, previous.digest):
            return False
        now = self._clock()
        if now >= previous.expires_at:
            return False
        previous.used_at = now
        return True

    async def rotate(self, grace_s: int = WEEK_S, along: Job = nothing) -> str:
        """Make a new token and return its text; the present one works for `grace_s` more.

        `along` is done in the same transaction. Raises ValueError when the token comes from the
        environment: it can only change there.
        """
        if self.is_given:
            raise ValueError(GIVEN)
        token = secrets.token_urlsafe(32)
        now = self._clock()
        await self._store(digest_of(token.encode()), now, now + grace_s * 1000, along)
        return token

    async def revoke_previous(self, along: Job = nothing) -> None:
        """End the previous token's grace now; `along` is done in the same transaction."""
        now = self._clock()

        async def expire(connection: aiosqlite.Connection) -> None:
            await along(connection)
            await connection.execute(
                "UPDATE webhook_token SET expires_at = ? WHERE expires_at > ?", (now, now)
            )

        await self._database.write(expire)
        await self.refresh()

    async def refresh(self) -> None:
        """Read again what another node may have written."""
        rows = await self._database.read(
            "SELECT digest, expires_at FROM webhook_token ORDER BY id DESC LIMIT 2"
        )
        known, self.previous = self.previous, None
        if rows:
            self._current = _blob(rows[0][0])
        if len(rows) > 1:
            self._keep_previous(_blob(rows[1][0]), rows[1][1], known)

    async def _load(self) -> None:
        await self.refresh()
        if not self._current:
            token = secrets.token_urlsafe(32)
            is_first = await self._store_first(digest_of(token.encode()), self._clock())
            self.made = token if is_first else None
            await self.refresh()

    async def _store_first(self, digest: bytes, now: int) -> bool:
        """Unless another node was faster: the token that it told must not be replaced."""

        async def insert(connection: aiosqlite.Connection) -> bool:
            inserted = await connection.execute(
                "INSERT INTO webhook_token (digest, made_at) "
                "SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM webhook_token)",
                (digest, now),
            )
            return inserted.rowcount > 0

        return await self._database.write(insert)

    async def _store(self, digest: bytes, now: int, expires_at: int, along: Job) -> None:
        async def replace(connection: aiosqlite.Connection) -> None:
            await along(connection)
            await connection.execute(
                "UPDATE webhook_token SET expires_at = ? WHERE expires_at > ?", (now, now)
            )
            await connection.execute(
                "UPDATE webhook_token SET expires_at = ? WHERE expires_at IS NULL", (expires_at,)
            )
            await connection.execute(
                "INSERT INTO webhook_token (digest, made_at) VALUES (?, ?)", (digest, now)
            )

        await self._database.write(replace)
        await self.refresh()

    def _keep_previous(self, digest: bytes, expires_at: object, known: Previous | None) -> None:
        if isinstance(expires_at, int) and expires_at > self._clock():
            used_at = known.used_at if known and known.digest == digest else None
            self.previous = Previous(digest, expires_at, used_at)


def digest_of(token: bytes) -> bytes:
    """What is kept and compared: digests have one length and are never outside ASCII trouble."""
    return sha256(token).digest()


def _blob(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError("a token's digest is bytes")
    return value
