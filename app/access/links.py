"""One-time links: for the very first administrator, and for a user who has to choose a password.

A link works once, for 24 hours; only its digest is kept.
"""

import asyncio
import secrets
from collections.abc import Callable

import aiosqlite

from app.access.accounts import Account, AccountProblem, Accounts
from app.access.sessions import key_of
from app.rights import Role
from app.sentences import Sentence
from app.tables import Job, Tables, nothing

LIFE_MS = 24 * 60 * 60 * 1000
FIRST = 0
OVER = Sentence("This link was used, or is older than 24 hours.")

STEPS = (
    """CREATE TABLE setup_link (
        key TEXT PRIMARY KEY CHECK (length(key) = 64),
        user_id INTEGER NOT NULL,
        until INTEGER NOT NULL
    ) STRICT""",
)


class Links:
    """The links that are out. `clock` gives ms since the epoch."""

    def __init__(self, database: Tables, accounts: Accounts, clock: Callable[[], int]) -> None:
        self._database = database
        self._accounts = accounts
        self._clock = clock
        self._using = asyncio.Lock()

    async def load(self) -> None:
        await self._database.migrate("links", STEPS)

    async def for_the_first(self) -> str | None:
        """A fresh link's secret while nobody can administer yet; None afterwards.

        An older such link stops working: only the one printed last does.
        """
        if any(account.is_admin and account.password for account in self._accounts.all()):
            return None
        return await self._make(FIRST)

    async def for_user(self, user_id: int, along: Job = nothing) -> str:
        """A link by which this user chooses a password; older ones of theirs stop working.

        `along` is done in the same transaction.
        """
        return await self._make(user_id, along)

    async def _make(self, user_id: int, along: Job = nothing) -> str:
        secret = secrets.token_urlsafe(32)

        async def insert(connection: aiosqlite.Connection) -> None:
            await along(connection)
            await connection.execute("DELETE FROM setup_link WHERE user_id = ?", (user_id,))
            await connection.execute(
                "INSERT INTO setup_link (key, user_id, until) VALUES (?, ?, ?)",
                (key_of(secret), user_id, self._clock() + LIFE_MS),
            )

        await self._database.write(insert)
        return secret

    async def whose(self, secret: str) -> Account | int | None:
        """The user this link is for, FIRST, or None when it works no more."""
        rows = await self._database.read(
            "SELECT user_id FROM setup_link WHERE key = ? AND until > ?",
            (key_of(secret), self._clock()),
        )
        if not rows:
            return None
        user_id = int(rows[0][0])
        return FIRST if user_id == FIRST else self._accounts.get(user_id)

    async def use(self, secret: str, username: str, password: str, along: Job = nothing) -> Account:
        """Choose a password by a link (and a name, by the first one). The link is used up.

        `along` is done in the same transaction. Raises AccountProblem; the link still works then.
        """
        spend = _spending(secret, along)
        async with self._using:
            owner = await self.whose(secret)
            if owner is None:
                raise AccountProblem(OVER, "link")
            if not isinstance(owner, Account):
                return await self._first(username, password, spend)
            await self._accounts.set_password(owner.user_id, password, along=spend)
        return owner

    async def _first(self, username: str, password: str, spend: Job) -> Account:
        if not password:
            raise AccountProblem("Type a password.", "password")
        return await self._accounts.create_user(username, Role.ADMIN, password, along=spend)


def _spending(secret: str, along: Job) -> Job:
    """Uses the link up in the transaction it is good for: two nodes can't both do so."""

    async def spend(connection: aiosqlite.Connection) -> None:
        spent = await connection.execute("DELETE FROM setup_link WHERE key = ?", (key_of(secret),))
        if not spent.rowcount:
            raise AccountProblem(OVER, "link")
        await along(connection)

    return spend
