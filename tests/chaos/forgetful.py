"""R3 on a disk that forgets: a traced run, cut at any moment, without what was not synced by then.

strace tells every write to the database's files and every sync. What a file holds for certain is
what was written before its last sync began; of the rest a disk may keep any sectors, or none,
in any order. Whatever it keeps, each acknowledged webhook must be in the database that is left.
"""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.site import BESIDE, Site, is_whole, stored_calls
from tests.chaos.tracing import SYNCS, Done, traced

SECTOR = 512


@dataclass
class File:
    """What is on the disk for certain, and what was written since."""

    synced: bytearray = field(default_factory=bytearray)
    pending: list[Done] = field(default_factory=list)

    def note(self, done: Done) -> None:
        """A write, or a sync: what had been written when that began is on the disk."""
        if done.name not in SYNCS:
            self.pending.append(done)
            return
        for write in self.pending:
            if write.ended < done.began:
                put(self.synced, write)
        self.pending = [write for write in self.pending if write.ended >= done.began]

    def left(self, chance: random.Random | None) -> bytes:
        """What a power cut leaves: the least, or by chance any part of what was not synced."""
        content = bytearray(self.synced)
        if chance is not None:
            parts = [part for write in self.pending for part in sectors(write)]
            for part in chance.sample(parts, chance.randint(0, len(parts))):
                put(content, part)
        return bytes(content)


@dataclass
class Forgotten:
    """Cuts that were tried, and what was wrong with what they left.

    `unsynced`: moments at which something was written and not synced.
    """

    answers: int = 0
    cuts: int = 0
    unsynced: int = 0
    lost: int = 0
    doubled: int = 0
    not_whole: int = 0

    @property
    def is_good(self) -> bool:
        # Where nothing was ever forgotten, nothing was tried.
        return bool(self.cuts and self.unsynced) and not (
            self.lost or self.doubled or self.not_whole
        )

    def __str__(self) -> str:
        return (
            f"{self.answers} answers, {self.cuts} cuts, at {self.unsynced} moments with writes to "
            f"forget: {self.lost} acknowledged lost, {self.doubled} doubled, "
            f"{self.not_whole} not whole"
        )


def forget(folder: Path, webhooks: int, cuts: int, seed: int = 3) -> Forgotten:
    """Trace a server under so many webhooks, and cut at so many moments of the trace."""
    site = Site(folder)
    files = {f"{site.database}{suffix}": File() for suffix in BESIDE}
    moments = [done for done in traced(site, webhooks) if done.path in files or done.is_answer]
    # A client may have an answer as soon as it is being written.
    moments.sort(key=lambda done: done.began if done.is_answer else done.ended)
    names = [f"w{number}" for number in range(webhooks)]
    return _cut(folder / "left", files, moments, names, cuts, random.Random(seed))


def _cut(
    folder: Path,
    files: dict[str, File],
    moments: list[Done],
    names: list[str],
    cuts: int,
    chance: random.Random,
) -> Forgotten:
    found = Forgotten()
    # The first page of all is written another way, with a journal that is not looked at here.
    first = next(at for at, done in enumerate(moments) if done.path.endswith("-wal"))
    chosen = set(chance.sample(range(first, len(moments)), min(cuts, len(moments) - first)))
    for number, done in enumerate(moments):
        if done.is_answer:
            found.answers += 1
        else:
            files[done.path].note(done)
        if number in chosen:
            found.unsynced += any(file.pending for file in files.values())
            for luck in (None, chance):
                found.cuts += 1
                left = {path: file.left(luck) for path, file in files.items()}
                _judge(folder, left, names[: found.answers], found)
    return found


def _judge(folder: Path, left: dict[str, bytes], acknowledged: list[str], found: Forgotten) -> None:
    folder.mkdir(exist_ok=True)
    for path, content in left.items():
        (folder / Path(path).name).write_bytes(content)
    database = folder / Path(next(iter(left))).name
    stored: list[str] = []
    try:
        with closing(sqlite3.connect(database)) as connection:
            found.not_whole += not is_whole(connection)
            stored = stored_calls(connection) if has_events(connection) else []
    except sqlite3.DatabaseError:
        found.not_whole += 1
    found.lost += len(set(acknowledged) - set(stored))
    found.doubled += len(stored) - len(set(stored))
    for file in folder.iterdir():
        file.unlink()


def has_events(connection: sqlite3.Connection) -> bool:
    """False in the first second of a database's life."""
    sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'event'"
    return bool(connection.execute(sql).fetchone()[0])


def put(content: bytearray, write: Done) -> None:
    """Do to the content what the call did to the file."""
    if write.name == "ftruncate":
        length = write.numbers[0]
        del content[length:]
        content.extend(bytes(length - len(content)))
        return
    at = write.numbers[1]
    content.extend(bytes(max(0, at + len(write.data) - len(content))))
    content[at : at + len(write.data)] = write.data


def sectors(write: Done) -> Iterator[Done]:
    """The parts that a disk writes at once."""
    if write.name == "ftruncate":
        yield write
        return
    for first in range(0, len(write.data), SECTOR):
        part = write.data[first : first + SECTOR]
        at = write.numbers[1] + first
        yield Done(write.began, write.ended, write.name, write.path, part, (len(part), at))
