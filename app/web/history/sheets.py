"""Tables as files: CSV as it is read, or an Excel workbook; nothing in them is ever a formula."""

import asyncio
import io
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse
from xlsxwriter import Workbook  # type: ignore[import-untyped]

from app.audit.export import csv_line, harmless
from app.sentences import Sentence
from app.web.forms import FormProblem

Cell = str | int | float | bool | datetime | None
Row = Sequence[Cell]

CSV, XLSX = "csv", "xlsx"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# A workbook is made whole before its first byte leaves; more rows are for CSV.
MOST_IN_WORKBOOK = 50_000
TOO_MANY = Sentence(
    "These are more than {number} rows, too many for a workbook. "
    "Narrow the filters, or take them as CSV."
)
WIDEST = 40
LINES_AT_ONCE = 100
# Spreadsheet programs of one region read "," and of another ";": the mark at least makes it UTF-8.
MARK = "\ufeff"
# What a header, a workbook or some file system would not take in a name.
UNPLAIN = re.compile(r"[^A-Za-z0-9._-]")

_turn = asyncio.Semaphore(1)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: `name` is the file's, times are local with their offset."""

    name: str
    columns: tuple[str, ...]
    rows: AsyncIterator[Row]


async def listed(rows: Iterable[Row]) -> AsyncIterator[Row]:
    """Rows that are already there."""
    for row in rows:
        yield row


async def answer(sheet: Sheet, form: str) -> Response:
    """The sheet as a file to save. Raises FormProblem for too many rows or no such form."""
    if form == CSV:
        headers = {"Content-Disposition": attachment(f"{sheet.name}.csv")}
        return StreamingResponse(_csv(sheet), media_type="text/csv; charset=utf-8", headers=headers)
    if form != XLSX:
        raise FormProblem("The form is one of: csv, xlsx.")
    async with _turn:
        rows = [row async for row in _bounded(sheet.rows)]
        body = await asyncio.to_thread(workbook, sheet, rows)
    headers = {"Content-Disposition": attachment(f"{sheet.name}.xlsx")}
    return Response(body, media_type=XLSX_TYPE, headers=headers)


def attachment(name: str) -> str:
    """The header that saves a file under this name (RFC 6266), also where that is no ASCII."""
    plain = plain_name(name)
    whole = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'attachment; filename="{plain}"{whole}'


def plain_name(name: str) -> str:
    """The name with an underscore for whatever a header or a workbook could not hold."""
    return UNPLAIN.sub("_", name)


async def _bounded(rows: AsyncIterator[Row]) -> AsyncIterator[Row]:
    count = 0
    async for row in rows:
        count += 1
        if count > MOST_IN_WORKBOOK:
            raise FormProblem(TOO_MANY.filled(number=MOST_IN_WORKBOOK))
        yield row


async def _csv(sheet: Sheet) -> AsyncIterator[str]:
    lines = [MARK + csv_line(sheet.columns)]
    async for row in sheet.rows:
        lines.append(csv_line([_plain(cell) for cell in row]))
        if len(lines) >= LINES_AT_ONCE:
            yield "".join(lines)
            lines.clear()
    yield "".join(lines)


def _plain(cell: Cell) -> Cell:
    if isinstance(cell, datetime):
        return cell.isoformat(timespec="seconds")
    return round(cell, 3) if isinstance(cell, float) else cell


def workbook(sheet: Sheet, rows: Iterable[Row]) -> bytes:
    """The rows as an Excel file. Texts are written as texts, whatever they look like."""
    body = io.BytesIO()
    book = Workbook(
        body, {"in_memory": True, "strings_to_formulas": False, "remove_timezone": True}
    )
    page = book.add_worksheet(plain_name(sheet.name)[:31])
    bold = book.add_format({"bold": True})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    page.freeze_panes(1, 0)
    for column, name in enumerate(sheet.columns):
        page.write_string(0, column, name, bold)
        page.set_column(column, column, min(WIDEST, max(12, len(name) + 2)))
    for number, row in enumerate(rows, 1):
        for column, cell in enumerate(row):
            if isinstance(cell, datetime):
                page.write_datetime(number, column, cell, moment)
            elif isinstance(cell, bool):
                page.write_boolean(number, column, cell)
            elif isinstance(cell, int | float):
                page.write_number(number, column, cell)
            elif cell is not None:
                page.write_string(number, column, harmless(cell))
    book.close()
    return body.getvalue()
