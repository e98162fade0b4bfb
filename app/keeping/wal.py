"""Reads the write-ahead log's frames, to tell how much of it SQLite could not take over.

SQLite quietly keeps what comes before the first damaged frame; whoever lost something must hear.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

HEADER, FRAME_HEADER = 32, 24


@dataclass(frozen=True, slots=True)
class Frames:
    """What a WAL file holds: the 1-based numbers of frames that end a transaction, in order."""

    commits: tuple[int, ...] = ()
    is_cut: bool = False
    """It ends in the middle of a frame."""

    def lost_after(self, taken: int) -> int:
        """How many transactions lie behind the `taken` frames that SQLite could read."""
        return sum(1 for number in self.commits if number > taken)


def frames_of(database: Path) -> Frames:
    """The frames of the WAL beside the database; of the newest round only, older ones are done."""
    try:
        content = database.with_name(database.name + "-wal").read_bytes()
    except FileNotFoundError:
        return Frames()
    if len(content) < HEADER + FRAME_HEADER:
        return Frames(is_cut=0 < len(content) != HEADER)
    page_size = struct.unpack_from(">I", content, 8)[0]
    if page_size not in {512 << step for step in range(8)}:
        return Frames(is_cut=True)
    return _scan(content, page_size)


def _scan(content: bytes, page_size: int) -> Frames:
    # The header's salts are those of the newest round. Where the header is damaged, its first
    # frame's are; where it is not, that frame may still be one of the round before.
    at = 16 if _is_whole(content[:HEADER]) else HEADER + 8
    salts = content[at : at + 8]
    size, commits = FRAME_HEADER + page_size, []
    for number, start in enumerate(range(HEADER, len(content) - FRAME_HEADER + 1, size), 1):
        pages_after_commit = struct.unpack_from(">I", content, start + 4)[0]
        if content[start + 8 : start + 16] == salts and pages_after_commit:
            commits.append(number)
    return Frames(tuple(commits), (len(content) - HEADER) % size != 0)


def _is_whole(header: bytes) -> bool:
    """The header's checksum is right, see https://www.sqlite.org/fileformat2.html#walformat."""
    order = ">" if header[3] & 1 else "<"
    words = struct.unpack(f"{order}6I", header[:24])
    first = second = 0
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return header[24:] == struct.pack(">2I", first, second)
