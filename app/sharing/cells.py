"""Values of SQLite as the log stores them, and back."""

from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Any

from app.domain.table_changes import Cell, Coded


def told(values: Iterable[Any]) -> tuple[Cell, ...]:
    """Values as SQLite gave them: int, float, str, bytes or None."""
    return tuple(_told(value) for value in values)


def meant(cells: Iterable[Cell]) -> tuple[Any, ...]:
    """The values for SQLite again."""
    return tuple(_meant(cell) for cell in cells)


def _told(value: Any) -> Cell:
    if isinstance(value, bytes):
        return Coded(base64=b64encode(value).decode())
    if isinstance(value, float):
        # Exact, and there is no infinity in JSON.
        return Coded(real=value.hex())
    cell: Cell = value
    return cell


def _meant(cell: Cell) -> Any:
    if not isinstance(cell, Coded):
        return cell
    return float.fromhex(cell.real) if cell.real else b64decode(cell.base64)
