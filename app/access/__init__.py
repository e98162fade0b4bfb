"""Everything about who may come in, opened together and kept fresh by one loop."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.access.accounts import Accounts
from app.access.api_tokens import ApiTokens
from app.access.attempts import Attempts
from app.access.identities import Identities
from app.access.links import Links
from app.access.oidc import Client, Oidc
from app.access.pairing import Pairings
from app.access.passwords import Passwords
from app.access.sessions import Sessions
from app.access.walls import Walls
from app.audit import Audit
from app.database import DatabaseUnavailable
from app.tables import Tables

REFRESH_S = 0.5
SWEEP_S = 60.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Access:
    """Accounts, sessions, walls, tokens, and the audit of what they do."""

    accounts: Accounts
    sessions: Sessions
    links: Links
    walls: Walls
    pairings: Pairings
    tokens: ApiTokens
    audit: Audit
    attempts: Attempts
    identities: Identities
    oidc: Oidc | None
    monotonic: Callable[[], float]

    @classmethod
    async def open(
        cls,
        database: Tables,
        clock: Callable[[], int],
        *,
        api_token: str = "",
        passwords: Passwords | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        oidc: Client | None = None,
    ) -> "Access":
        """Make or read all tables. `clock` is ms since the epoch, `monotonic` seconds.

        `oidc`: the provider by which people may sign in, if there is one.
        """
        sessions = Sessions(database, clock, monotonic)
        accounts = Accounts(database, sessions, passwords or Passwords(), clock)
        links = Links(database, accounts, clock)
        walls = Walls(database, clock)
        tokens = ApiTokens(database, clock, api_token)
        identities = Identities(database, accounts)
        for part in (accounts, sessions, links, walls, tokens, identities):
            await part.load()
        return cls(
            accounts=accounts,
            sessions=sessions,
            links=links,
            walls=walls,
            pairings=Pairings(walls, monotonic),
            tokens=tokens,
            audit=await Audit.open(database, clock),
            attempts=Attempts(monotonic),
            identities=identities,
            oidc=None if oidc is None else Oidc(oidc, clock),
            monotonic=monotonic,
        )

    async def setup_path(self) -> str | None:
        """The path of a fresh one-time link while there is no administrator yet."""
        secret = await self.links.for_the_first()
        return None if secret is None else f"/setup/{secret}"

    async def keep(self) -> None:
        """See within half a second what another program changed; once a minute end what is over.

        Runs until cancelled. A database that is away for a while does not end it.
        """
        swept = self.monotonic()
        while True:
            await asyncio.sleep(REFRESH_S)
            try:
                await self.accounts.refresh()
                await self.tokens.refresh()
                if self.monotonic() - swept >= SWEEP_S:
                    swept = self.monotonic()
                    await self.sweep()
            except DatabaseUnavailable as error:
                log.warning("Accounts and sessions can't be refreshed: %s", error)

    async def sweep(self) -> None:
        for part in (self.sessions, self.walls, self.tokens):
            await part.sweep()
