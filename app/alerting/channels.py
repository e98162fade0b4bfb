"""Where alarms are told outside the board: addresses that are secrets, kept and never shown.

An address is apprise's kind of URL; it holds passwords and tokens, so only its first word (what
kind of service it is) is ever given to a page or a log.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import aiosqlite

from app.sentences import Sentence
from app.tables import Job, Tables, nothing

STEPS = (
    """CREATE TABLE alarm_channel (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        url TEXT NOT NULL,
        level INTEGER NOT NULL CHECK (level IN (1, 2)),
        scope TEXT NOT NULL,
        tells_cleared INTEGER NOT NULL,
        made_at INTEGER NOT NULL
    ) STRICT""",
)
MOST = 20
LONGEST_URL = 2_000


class ChannelProblem(Exception):
    """The channel can't be so; the text says why."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One receiver. `level`: from 1 (warning) or 2 (critical) on; `scope`: one queue or team."""

    channel: str
    name: str
    url: str = field(repr=False)
    level: int
    scope: str
    tells_cleared: bool

    @property
    def service(self) -> str:
        """What kind of service it is, which is no secret: mailtos, slack, json …"""
        return self.url.partition("://")[0].lower()


class Channels:
    """The channels, read once and kept with the database. Ids are never used again."""

    def __init__(self, database: Tables, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock
        self._channels: list[Channel] = []

    @classmethod
    async def open(cls, database: Tables, clock: Callable[[], int]) -> "Channels":
        channels = cls(database, clock)
        await database.migrate("alarm_channel", STEPS)
        database.on_changed(["alarm_channel"], channels._load)
        await channels._load()
        return channels

    def all(self) -> list[Channel]:
        return list(self._channels)

    def find(self, channel: str) -> Channel | None:
        return next((each for each in self._channels if each.channel == channel), None)

    async def add(
        self,
        name: str,
        url: str,
        level: int,
        scope: str = "",
        tells_cleared: bool = True,
        along: Job = nothing,
    ) -> None:
        """Keep one more; `along` is done in the same transaction.

        Raises ChannelProblem, DatabaseUnavailable.
        """
        if len(self._channels) >= MOST:
            full = Sentence("There are at most {most} channels; remove one first.", most=MOST)
            raise ChannelProblem(full)
        if not name.strip():
            raise ChannelProblem("Give the channel a name.")
        row = (name.strip(), url, level, scope, tells_cleared, self._clock())
        await self._write(
            "INSERT INTO alarm_channel (name, url, level, scope, tells_cleared, made_at) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            row,
            along,
        )

    async def remove(self, channel: str, along: Job = nothing) -> None:
        """Tell nobody there any more. Raises DatabaseUnavailable."""
        await self._write("DELETE FROM alarm_channel WHERE id = ?", (channel,), along)

    async def _write(self, sql: str, parameters: tuple[object, ...], along: Job) -> None:
        async def job(connection: aiosqlite.Connection) -> None:
            await along(connection)
            await connection.execute(sql, parameters)

        await self._database.write(job)
        await self._load()

    async def _load(self) -> None:
        rows = await self._database.read(
            "SELECT id, name, url, level, scope, tells_cleared FROM alarm_channel ORDER BY id"
        )
        self._channels = [
            Channel(str(row[0]), str(row[1]), str(row[2]), int(row[3]), str(row[4]), bool(row[5]))
            for row in rows
        ]
