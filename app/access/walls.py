"""Wall displays: a screen shows a code, an administrator lets it in, and it stays for months.

A wall only reads, sees numbers masked, and can be turned off at once. Codes live in memory for ten
minutes; of a wall's token only a digest is kept.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import aiosqlite

from app.access.deleting import delete_rows
from app.access.sessions import Ending, Watch, key_of
from app.access.wall_rows import (
    COLUMNS,
    STEPS,
    Display,
    Wall,
    from_row,
    insert,
    seen_elsewhere,
    update,
)
from app.rights import Principal, Role
from app.tables import Job, Tables, nothing

__all__ = ["STEPS", "Display", "Wall", "WallProblem", "Walls"]

LIFE_MS = 180 * 86_400_000
WRITTEN_EVERY_MS = 5 * 60_000
LANGUAGES = ("", "en", "vi")
LAYOUTS = ("overview", "queue", "agents")
THEMES = ("dark", "light", "auto")
# How much of a number a wall shows: its last three digits, or nothing.
MASKINGS = ("last3", "hidden")


class WallProblem(Exception):
    """The wall is not paired or changed; the text says why and what to do."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class Walls:
    """All paired screens. `clock` gives ms since the epoch.

    `along` is a job to be done in the same transaction.
    """

    def __init__(self, database: Tables, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock
        self._by_key: dict[str, Wall] = {}
        # Turned off here, perhaps still on disk: a refresh must not bring them back.
        self._gone: set[str] = set()
        # … those that surely are, until a sweep gets them deleted.
        self._undeleted: set[str] = set()

    async def load(self) -> None:
        """Make the table and read what is stored."""
        await self._database.migrate("walls", STEPS)
        self._database.on_changed(["wall"], self.refresh)
        await self.refresh()

    async def refresh(self) -> None:
        """Read again what another node may have written."""
        known = list(self._by_key.values())
        rows = await self._database.read(f"SELECT {COLUMNS} FROM wall")  # noqa: S608 (a constant)
        stored = {wall.key: wall for wall in map(from_row, rows)}
        for wall in known:
            if wall.key not in stored:
                self._forget(wall)
        self._gone &= stored.keys()
        for key, wall in stored.items():
            if mine := self._by_key.get(key):
                seen_elsewhere(mine, wall)
                self._show(mine, wall.display)
            elif key not in self._gone:
                self._by_key[key] = wall

    async def add(self, display: Display, by: str, address: str, along: Job = nothing) -> str:
        """Let a screen in; the token that its cookie will hold. Raises WallProblem."""
        token = secrets.token_urlsafe(32)
        now = self._clock()
        wall = Wall(0, key_of(token), _checked(display), now, by, now, address[:64], now)

        async def job(connection: aiosqlite.Connection) -> int:
            await along(connection)
            return await insert(connection, wall)

        wall.wall_id = await self._database.write(job)
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

    async def change(self, wall_id: int, display: Display, along: Job = nothing) -> None:
        """Show something else; the open screen comes back with it. Raises WallProblem."""
        wall, display = self.known(wall_id), _checked(display)

        async def job(connection: aiosqlite.Connection) -> None:
            await along(connection)
            await update(connection, wall_id, display)

        await self._database.write(job)
        self._show(wall, display)

    def _show(self, wall: Wall, display: Display) -> None:
        if wall.display != display:
            wall.display = display
            wall.watch, rung = Watch(), wall.watch
            rung.ring(Ending.CHANGED)

    async def remove(self, wall_id: int) -> Wall:
        """Turn a wall off, at once and for good. Raises WallProblem."""
        wall = self.known(wall_id)
        # Out of memory before the disk is asked: a full disk must not keep a wall alive.
        self._end(wall)
        await self._delete_gone()
        return wall

    def _end(self, wall: Wall) -> None:
        self._forget(wall)
        self._undeleted.add(wall.key)

    async def _delete_gone(self) -> None:
        await delete_rows(self._database, "wall", self._undeleted)

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
        """Turn off what was not seen for 180 days, write down who was. Call about once a minute.

        What could not be deleted when it was turned off is deleted here.
        """
        for wall in self._by_key.values():
            if wall.boards:
                wall.seen_at = self._clock()
        for wall in [wall for wall in self._by_key.values() if self._is_over(wall)]:
            self._end(wall)
        await self._delete_gone()
        every_ms = max(WRITTEN_EVERY_MS, self._database.rough_s * 1000)
        for wall in list(self._by_key.values()):
            if wall.seen_at - wall.written_at >= every_ms:
                wall.written_at = wall.seen_at
                await self._write_seen(wall)

    async def _write_seen(self, wall: Wall) -> None:
        async def update(connection: aiosqlite.Connection) -> None:
            await connection.execute(
                "UPDATE wall SET seen_at = ?, address = ? WHERE id = ?",
                (wall.seen_at, wall.address, wall.wall_id),
            )

        await self._database.write(update)

    def _is_over(self, wall: Wall) -> bool:
        return self._clock() - wall.seen_at > LIFE_MS

    def known(self, wall_id: int) -> Wall:
        """The wall of that id. Raises WallProblem."""
        for wall in self._by_key.values():
            if wall.wall_id == wall_id:
                return wall
        raise WallProblem("There is no such wall: it was turned off already.")

    def _forget(self, wall: Wall) -> None:
        self._by_key.pop(wall.key, None)
        self._gone.add(wall.key)
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
