"""What was changed in the tables that the nodes of one site share; nothing that a floor shows.

Like all events these are stored for ever: new fields need a default.
"""

from dataclasses import dataclass

from app.domain.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """A value that JSON has no kind for: bytes in base64, or a float in hexadecimal."""

    base64: str = ""
    real: str = ""


Cell = int | str | Coded | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsChanged:
    """Rows of one table as they are now. A row's first values are those of `keys`.

    `columns` names the further ones; what is not named stays as it was. `gone` has the keys of
    deleted rows, `gone_runs` the first and last of whole numbers without a gap. `sequence` is
    the highest number that was ever given to a row, where the table counts that (else 0).
    """

    table: str
    keys: tuple[str, ...]
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    gone: tuple[tuple[Cell, ...], ...] = ()
    gone_runs: tuple[tuple[int, int], ...] = ()
    sequence: int = 0


@dataclass(frozen=True, kw_only=True)
class TablesChanged(Event):
    """A transaction of one node. It counts only if `base` is the seq of the change before it.

    A large one comes in pieces of the same `change`, numbered from 0; the last has not `more`.
    """

    change: str
    base: int
    tables: tuple[RowsChanged, ...]
    piece: int = 0
    more: bool = False
