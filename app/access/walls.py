"""Wall displays: a screen shows a code, an administrator lets it in, and it stays for months.

A wall only reads, sees numbers masked, and can be turned off at once. Codes live in memory for ten
minutes; of a wall's token only a digest is kept.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aiosqlite

from app.access.rows import listed, unlisted
from app.access.sessions import Ending, Watch, key_of
from app.rights import Principal, Role
from app.tables import Tables

LIFE_MS = 180 * 86_400_000
WRITTEN_EVERY_MS = 5 * 60_000
LANGUAGES = ("", "en", "vi")
LAYOUTS = ("overview", "queue", "agents")
THEMES = ("dark", "light", "auto")
# How much of a number a wall shows: its last three digits, or nothing.
MASKINGS = ("last3", "hidden")

STEPS = (
    """CREATE TABLE wall (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL UNIQUE CHECK (length(key) = 64),
        name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
        layout TEXT NOT NULL CHECK (length(layout) <= 32),
        queues TEXT,
        language TEXT NOT NULL CHECK (length(language) <= 8),
        masking TEXT NOT NULL CHECK (length(masking) <= 16),
        paired_at INTEGER NOT NULL,
        paired_by TEXT NOT NULL,
        seen_at INTEGER NOT NULL,
        address TEXT NOT NULL CHECK (length(address) <= 64)
    ) STRICT""",
    """ALTER TABLE wall ADD COLUMN theme TEXT NOT NULL DEFAULT 'dark';
    UPDATE wall SET layout = 'overview' WHERE layout NOT IN ('overview', 'queue', 'agents')""",
)
COLUMNS = (
    "id, key, name, layout, queues, language, masking, theme, paired_at, paired_by, seen_at,"
    " address"
)


class WallProblem(Exception):
    """The wall is not paired or changed; the text says why and what to do."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True)
class Display:
    """What a wall shows. `queues` None: all of them."""

    name: str
    layout: str = "overview"
    queues: frozenset[str] | None = None
    language: str = ""
    masking: str = "last3"
    theme: str = "dark"


@dataclass(slots=True)
class Wall:
    """One paired screen. Times in ms since the epoch."""

    wall_id: int
    key: str
    display: Display
    paired_at: int
    paired_by: str
    seen_at: int
    address: str
    written_at: int
    boards: int = 0
    watch: Watch = field(default_factory=Watch)


class Walls:
    """All paired screens. `clock` gives ms since the epoch."""

    def __init__(self, database: Tables, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock
        self._by_key: dict[str, Wall] = {}

    async def load(self) -> None:
        """Make the table and read what is stored."""
        await self._database.migrate("walls", STEPS)
        rows = await self._database.read(f"SELECT {COLUMNS} FROM wall")  # noqa: S608 (a constant)
        self._by_key = {wall.key: wall for wall in map(_from_row, rows)}

    async def add(self, display: Display, by: str, address: str) -> str:
        """Let a screen in; the token that its cookie will hold. Raises WallProblem."""
        token = secrets.token_urlsafe(32)
        now = self._clock()
        wall = Wall(0, key_of(token), _checked(display), now, by, now, address[:64], now)
        wall.wall_id = await self._database.write(lambda connection: _insert(connection, wall))
        self._by_key[wall.key] = wall
        return token

    def find(self, token: str, address: str = "") -> Wall | None:
        """The wall with this token; it counts as seen now, at `address`."""
        wall = self._by_key.get(key_of(token)) if 0 < len(token) <= 128 else None
        if wall is None or self._is_over(wall):
            return None
        wall.seen_at = self._clock()
        wall.address = address[:64] or wall.address
        return wall

    def by_key(self, key: str) -> Wall | None:
        wall = self._by_key.get(key)
        return None if wall is None or self._is_over(wall) else wall

    def all(self) -> list[Wall]:
        return sorted(self._by_key.values(), key=lambda wall: wall.display.name)

    def principal(self, wall: Wall) -> Principal:
        """Who the wall is: somebody without any right."""
        return Principal(
            user_id=wall.wall_id,
            name=wall.display.name,
            role=Role.WALL,
            queues=wall.display.queues,
            rights=frozenset(),
            language=wall.display.language,
            session=wall.key,
            layout=wall.display.layout,
            masking=wall.display.masking,
            theme=wall.display.theme,
        )

    async def change(self, wall_id: int, display: Display) -> None:
        """Show something else; the open screen comes back with it. Raises WallProblem."""
        wall = self._existing(wall_id)
        wall.display = _checked(display)
        await self._store(wall)
        wall.watch, rung = Watch(), wall.watch
        rung.ring(Ending.CHANGED)

    async def remove(self, wall_id: int) -> Wall:
        """Turn a wall off, at once and for good. Raises WallProblem."""
        wall = self._existing(wall_id)
        # Out of memory before the disk is asked: a full disk must not keep a wall alive.
        self._forget(wall)

        async def delete(connection: aiosqlite.Connection) -> None:
            await connection.execute("DELETE FROM wall WHERE id = ?", (wall_id,))

        await self._database.write(delete)
        return wall

    async def wait_ended(self, key: str) -> Ending:
        """Return as soon as the wall is turned off, or what it shows has changed."""
        wall = self._by_key.get(key)
        return Ending.SIGNED_OUT if wall is None else await wall.watch.wait()

    @contextmanager
    def open_board(self, key: str) -> Iterator[None]:
        """While this lasts the wall is seen."""
        wall = self._by_key.get(key)
        if wall is None:
            yield
            return
        wall.boards += 1
        try:
            yield
        finally:
            wall.boards -= 1

    def boards_of(self, wall_id: int) -> int:
        return sum(wall.boards for wall in self._by_key.values() if wall.wall_id == wall_id)

    async def sweep(self) -> None:
        """Turn off what was not seen for 180 days, write down who was. Call about once a minute."""
        for wall in self._by_key.values():
            if wall.boards:
                wall.seen_at = self._clock()
        for wall in [wall for wall in self._by_key.values() if self._is_over(wall)]:
            await self.remove(wall.wall_id)
        for wall in list(self._by_key.values()):
            if wall.seen_at - wall.written_at >= WRITTEN_EVERY_MS:
                wall.written_at = wall.seen_at
                await self._store(wall)

    async def _store(self, wall: Wall) -> None:
        await self._database.write(lambda connection: _update(connection, wall))

    def _is_over(self, wall: Wall) -> bool:
        return self._clock() - wall.seen_at > LIFE_MS

    def _existing(self, wall_id: int) -> Wall:
        for wall in self._by_key.values():
            if wall.wall_id == wall_id:
                return wall
        raise WallProblem("There is no such wall: it was turned off already.")

    def _forget(self, wall: Wall) -> None:
        self._by_key.pop(wall.key, None)
        wall.watch.ring(Ending.SIGNED_OUT)


def _checked(display: Display) -> Display:
    """The display, if all of it makes sense; else raises WallProblem."""
    name = display.name.strip()
    if not 1 <= len(name) <= 64 or not name.isprintable():
        raise WallProblem("Give the wall a name of 1 to 64 printable characters.", "name")
    for value, allowed, what in (
        (display.layout, LAYOUTS, "layout"),
        (display.language, LANGUAGES, "language"),
        (display.masking, MASKINGS, "masking"),
        (display.theme, THEMES, "theme"),
    ):
        if value not in allowed:
            raise WallProblem("Choose one of the listed values.", what)
    if display.layout == "queue" and (display.queues is None or len(display.queues) != 1):
        raise WallProblem("The layout of one queue needs exactly one queue: name it.", "queues")
    return replace(display, name=name)


def _from_row(row: tuple[Any, ...]) -> Wall:
    wall_id, key, name, layout, queues, language, masking, theme = row[:8]
    paired_at, by, seen_at, address = row[8:]
    display = Display(name, layout, unlisted(queues), language, masking, theme)
    return Wall(wall_id, key, display, paired_at, by, seen_at, address, seen_at)


async def _insert(connection: aiosqlite.Connection, wall: Wall) -> int:
    cursor = await connection.execute(
        "INSERT INTO wall (key, name, layout, queues, language, masking, theme, paired_at,"
        " paired_by, seen_at, address) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (wall.key, *_shown(wall), wall.paired_at, wall.paired_by, wall.seen_at, wall.address),
    )
    return cursor.lastrowid or 0


async def _update(connection: aiosqlite.Connection, wall: Wall) -> None:
    await connection.execute(
        "UPDATE wall SET name = ?, layout = ?, queues = ?, language = ?, masking = ?,"
        " theme = ?, seen_at = ?, address = ? WHERE id = ?",
        (*_shown(wall), wall.seen_at, wall.address, wall.wall_id),
    )


def _shown(wall: Wall) -> tuple[object, ...]:
    display = wall.display
    return (
        display.name,
        display.layout,
        listed(display.queues),
        display.language,
        display.masking,
        display.theme,
    )
