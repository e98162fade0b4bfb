"""Which account a provider's person has. The first time by verified address, then by identity.

An address may be given to somebody else one day; the identity is not.
"""

import aiosqlite

from app.access.accounts import Account, Accounts
from app.tables import Tables

STEPS = (
    """CREATE TABLE oidc_identity (
        issuer TEXT NOT NULL CHECK (length(issuer) <= 512),
        subject TEXT NOT NULL CHECK (length(subject) <= 255),
        user_id INTEGER NOT NULL,
        PRIMARY KEY (issuer, subject)
    ) STRICT""",
)


class Identities:
    """The identities that were seen, each with its account."""

    def __init__(self, database: Tables, accounts: Accounts) -> None:
        self._database = database
        self._accounts = accounts

    async def load(self) -> None:
        await self._database.migrate("oidc", STEPS)

    async def account_of(self, issuer: str, subject: str, email: str) -> Account | None:
        """The account of this identity: known, or now bound to the one named like its address."""
        rows = await self._database.read(
            "SELECT user_id FROM oidc_identity WHERE issuer = ? AND subject = ?", (issuer, subject)
        )
        if rows:
            return _open(self._accounts.get(int(rows[0][0])))
        account = _open(self._accounts.named(email)) if email else None
        if account is not None:
            await self._bind(issuer, subject, account)
        return account

    async def _bind(self, issuer: str, subject: str, account: Account) -> None:
        async def insert(connection: aiosqlite.Connection) -> None:
            await connection.execute(
                "INSERT OR IGNORE INTO oidc_identity (issuer, subject, user_id) VALUES (?, ?, ?)",
                (issuer, subject, account.user_id),
            )

        await self._database.write(insert)


def _open(account: Account | None) -> Account | None:
    return None if account is None or account.disabled else account
