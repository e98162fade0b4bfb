"""The audit as files for people and programs: CSV that no spreadsheet runs, and JSON lines."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from app.audit.rows import NAMES, AuditRow

# A spreadsheet takes a cell that begins so for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def harmless(cell: object) -> str:
    """A cell's text, marked as text where it could be taken for a formula."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(FORMULA) else text


def csv_line(cells: Sequence[object]) -> str:
    """One line of CSV, with its line end."""
    line = io.StringIO()
    csv.writer(line).writerow([harmless(cell) for cell in cells])
    return line.getvalue()


def csv_heading() -> str:
    return csv_line(NAMES)


def as_csv(rows: Iterable[AuditRow]) -> Iterator[str]:
    """A line per row; times are UTC, RFC 3339."""
    for row in rows:
        yield csv_line(list(said(row).values()))


def as_json(rows: Iterable[AuditRow]) -> Iterator[str]:
    """One JSON object a line."""
    for row in rows:
        yield json.dumps(said(row), ensure_ascii=False) + "\n"


def said(row: AuditRow) -> dict[str, object]:
    """The row with its time for people. `hash` can be checked from the same row in ms only."""
    return {**asdict(row), "at": datetime.fromtimestamp(row.at / 1000, UTC).isoformat()}
