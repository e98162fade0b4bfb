"""The audit to read, check and export: for those with the right, and every look is noted."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from app.audit import Audit, AuditRow, Deed, Wanted
from app.audit.export import as_csv, as_json, csv_heading
from app.pbx import SpyMode
from app.rights import Principal, Right
from app.web.guard import access_of, actor_of, require
from app.web.pages import render
from app.web.parts import parts_of

PAGE = 100
LISTENING = tuple(SpyMode)
FORMS: dict[str, tuple[str, Callable[[Iterable[AuditRow]], Iterator[str]], str]] = {
    "csv": ("text/csv; charset=utf-8", as_csv, csv_heading()),
    "json": ("application/x-ndjson", as_json, ""),
}


async def audit_page(request: Request) -> Response:
    """The newest rows, or those before `before`; filtered by action, actor, extension, number."""
    reader = await require(request, Right.READ_AUDIT)
    audit, wanted = access_of(request).audit, wanted_of(request)
    checked = await _checked(request, audit)
    await _note(request, reader, "read audit", wanted)
    rows = await audit.page(wanted, PAGE)
    parts = parts_of(request)
    months = months_until(datetime.fromtimestamp(parts.clock() / 1000, parts.renderer.zone))
    return render(
        request,
        "audit.html",
        rows=rows,
        wanted=wanted,
        actions=await audit.actions(),
        older=rows[-1].seq if len(rows) == PAGE else None,
        checked=checked,
        months=[(name, await audit.often(LISTENING, *span)) for name, span in months],
    )


def months_until(now: datetime) -> list[tuple[str, tuple[int, int]]]:
    """This month and the one before it: (2026-11, its first ms and the first of the next)."""
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    before = (first - timedelta(days=1)).replace(day=1)
    after = (first + timedelta(days=32)).replace(day=1)
    edges = [round(each.timestamp() * 1000) for each in (before, first, after)]
    names = [f"{each:%Y-%m}" for each in (before, first)]
    return [(names[at], (edges[at], edges[at + 1])) for at in (1, 0)]


async def _checked(request: Request, audit: Audit) -> str:
    """Whether the chain holds, when that was asked: it reads every row."""
    if request.query_params.get("check") != "1":
        return ""
    bad = await audit.verify()
    return "intact" if bad is None else str(bad)


def wanted_of(request: Request) -> Wanted:
    """Which rows the query asks for; what is no number is no `before`."""
    asked = request.query_params
    before = asked.get("before", "")
    number = int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None
    return Wanted(
        before=number,
        action=asked.get("action", "")[:64],
        actor=asked.get("actor", "")[:128],
        extension=asked.get("extension", "")[:128],
        phone=asked.get("phone", "")[:64],
    )


async def export(request: Request) -> Response:
    """All wanted rows as CSV or JSON lines, read in pages while they are sent."""
    reader = await require(request, Right.READ_AUDIT)
    form = "json" if request.query_params.get("form") == "json" else "csv"
    media, write, heading = FORMS[form]
    wanted = wanted_of(request)
    await _note(request, reader, f"export audit as {form}", wanted)
    body = _lines(access_of(request).audit, wanted, write, heading)
    name = f'attachment; filename="audit.{"csv" if form == "csv" else "jsonl"}"'
    return StreamingResponse(body, media_type=media, headers={"Content-Disposition": name})


async def _lines(
    audit: Audit,
    wanted: Wanted,
    write: Callable[[Iterable[AuditRow]], Iterator[str]],
    heading: str,
) -> AsyncIterator[str]:
    yield heading
    while rows := await audit.page(wanted, 1000):
        yield "".join(write(rows))
        wanted = Wanted(rows[-1].seq, wanted.action, wanted.actor, wanted.extension, wanted.phone)


async def _note(request: Request, reader: Principal, action: str, wanted: Wanted) -> None:
    """Reading is noted as well; a number that was searched for is kept like any other."""
    said = [f"{name} {text}" for name, text in (("action", wanted.action), ("by", wanted.actor))]
    reason = ", ".join(part for part in said if not part.endswith(" "))
    deed = Deed(action, extension=wanted.extension, phone=wanted.phone, reason=reason)
    await access_of(request).audit.done(actor_of(request, reader), deed)


ROUTES: list[BaseRoute] = [
    Route("/admin/audit", audit_page, methods=["GET"]),
    Route("/admin/audit/export", export, methods=["GET"]),
]
