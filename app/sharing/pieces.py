"""A change in pieces that fit into a message, and the pieces put together again."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from app.domain.table_changes import RowsChanged, TablesChanged
from app.log.codec import encode

# A message of the log takes some hundred kilobytes.
MOST_BYTES = 128 * 1024


def pieces_of(change: str, base: int, tables: Sequence[RowsChanged]) -> Iterator[TablesChanged]:
    """The events to append one after the other."""
    parts = list(_split(tuple(tables)))
    for number, part in enumerate(parts):
        yield TablesChanged(
            change=change, base=base, tables=part, piece=number, more=number < len(parts) - 1
        )


def _split(tables: tuple[RowsChanged, ...]) -> Iterator[tuple[RowsChanged, ...]]:
    halves = _halves(tables) if _size(tables) > MOST_BYTES else None
    if halves is None:
        yield tables
        return
    for half in halves:
        yield from _split(half)


def _size(tables: tuple[RowsChanged, ...]) -> int:
    return len(encode(TablesChanged(change="", base=0, tables=tables))[1])


def _halves(
    tables: tuple[RowsChanged, ...],
) -> tuple[tuple[RowsChanged, ...], tuple[RowsChanged, ...]] | None:
    if len(tables) > 1:
        return tables[: len(tables) // 2], tables[len(tables) // 2 :]
    [only] = tables
    for name in ("rows", "gone", "gone_runs"):
        many = getattr(only, name)
        if len(many) > 1:
            first, rest = many[: len(many) // 2], many[len(many) // 2 :]
            bare = replace(only, rows=(), gone=(), gone_runs=())
            return (replace(only, **{name: first}),), (replace(bare, **{name: rest}),)
    return None


class Pieces:
    """The pieces that were read so far of changes that may still count."""

    def __init__(self) -> None:
        self._read: dict[str, dict[int, TablesChanged]] = {}

    def whole(self, piece: TablesChanged) -> tuple[RowsChanged, ...] | None:
        """All that the change did, once its last piece is read; None before, or if one lacks."""
        known = self._read.setdefault(piece.change, {})
        known[piece.piece] = piece
        if piece.more or len(known) <= piece.piece:
            return None
        return tuple(rows for number in sorted(known) for rows in known[number].tables)

    def clear(self) -> None:
        """Another change was applied: these count no more."""
        self._read.clear()
