"""A paired screen as a value, and as a row of its table."""

from dataclasses import dataclass, field
from typing import Any

import aiosqlite

from app.access.rows import listed, unlisted
from app.access.sessions import Watch

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


def from_row(row: tuple[Any, ...]) -> Wall:
    wall_id, key, name, layout, queues, language, masking, theme = row[:8]
    paired_at, by, seen_at, address = row[8:]
    display = Display(name, layout, unlisted(queues), language, masking, theme)
    return Wall(wall_id, key, display, paired_at, by, seen_at, address, seen_at)


def seen_elsewhere(wall: Wall, stored: Wall) -> None:
    if stored.seen_at > wall.seen_at:
        wall.seen_at, wall.address = stored.seen_at, stored.address
    wall.written_at = max(wall.written_at, stored.seen_at)


async def insert(connection: aiosqlite.Connection, wall: Wall) -> int:
    cursor = await connection.execute(
        "INSERT INTO wall (key, name, layout, queues, language, masking, theme, paired_at,"
        " paired_by, seen_at, address) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            wall.key,
            *_shown(wall.display),
            wall.paired_at,
            wall.paired_by,
            wall.seen_at,
            wall.address,
        ),
    )
    return cursor.lastrowid or 0


async def update(connection: aiosqlite.Connection, wall_id: int, display: Display) -> None:
    await connection.execute(
        "UPDATE wall SET name = ?, layout = ?, queues = ?, language = ?, masking = ?,"
        " theme = ? WHERE id = ?",
        (*_shown(display), wall_id),
    )


def _shown(display: Display) -> tuple[object, ...]:
    return (
        display.name,
        display.layout,
        listed(display.queues),
        display.language,
        display.masking,
        display.theme,
    )
