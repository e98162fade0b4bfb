"""The page of alarms: what stands, who takes it on or silences it, and what happened before."""

from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from app.audience import ATTENDING
from app.audit import Deed
from app.audit.export import csv_line
from app.domain.alarm_view import AlarmRow, queues_of, subject_name
from app.domain.events import AlarmAcknowledged, AlarmShelved, Event
from app.domain.metrics import METRICS
from app.domain.rules import AlarmEntry
from app.rights import Principal
from app.sentences import Sentence, wording
from app.web import guard
from app.web.admin.page import change_floor
from app.web.api import json_response
from app.web.board import audience_of
from app.web.forms import Form, FormProblem, form_of
from app.web.guard import require_person
from app.web.pages import render
from app.web.parts import parts_of

PAGE = 100
MINUTE = 60_000
LONGEST_SHELF_MIN = 24 * 60
LONGEST_KEY = 256
HEADING = (
    "number", "at_utc", "what", "level", "metric", "subject", "name", "value", "by", "until_utc",
    "channels_told", "channels_failed",
)  # fmt: skip


class Gone(Exception):
    """The alarm does not stand any more, or never was this person's to see."""


async def alarms_page(request: Request) -> Response:
    require_person(request)
    return _shown(request)


def _shown(request: Request, status: int = 200, **said: str) -> Response:
    person, parts = require_person(request), parts_of(request)
    audience = audience_of(request, person)
    entries = list(_seen_entries(request, person))
    before = _number(request.query_params.get("before", ""))
    older = [entry for entry in entries if before is None or entry.number < before]
    page = older[:PAGE]
    return render(
        request,
        "alarms.html",
        status,
        rows=audience.alarms(parts.floor.alarm_rows()),
        may_act=audience.may_acknowledge,
        entries=page,
        before=before,
        older=page[-1].number if len(older) > PAGE else None,
        names_of={entry.number: _name(request, entry) for entry in page},
        units={name: metric.unit for name, metric in METRICS.items()},
        no_rules=not any(rule.enabled for rule in parts.floor.state.alarm_rules.values()),
        **{"problem": "", "done": "", **said},
    )


def _seen_entries(request: Request, person: Principal) -> Iterator[AlarmEntry]:
    """The alarm log as far as it is this person's, the newest first."""
    state, audience = parts_of(request).floor.state, audience_of(request, person)
    for entry in reversed(state.alarm_log):
        if audience.sees_alarm(queues_of(state, entry.metric, entry.subject)):
            yield entry


def _name(request: Request, entry: AlarmEntry) -> str:
    return subject_name(parts_of(request).floor.state, entry.metric, entry.subject)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


async def export(request: Request) -> Response:
    """The alarm log as CSV, the newest line first; times are UTC. That it was taken is noted."""
    person = require_person(request)
    await guard.note(request, person, Deed("export alarms as csv"))
    iso = parts_of(request).renderer.iso
    lines = [csv_line(HEADING)]
    for entry in _seen_entries(request, person):
        failed = [channel for channel, error in entry.told.items() if error]
        told = [channel for channel, error in entry.told.items() if not error]
        cells = (
            entry.number, iso(entry.at), entry.what, entry.level.name.lower(), entry.metric,
            entry.subject, _name(request, entry), entry.value, entry.by,
            iso(entry.until) if entry.until else "", " ".join(told), " ".join(failed),
        )  # fmt: skip
        lines.append(csv_line(cells))
    headers = {"Content-Disposition": 'attachment; filename="alarms.csv"'}
    return StreamingResponse(iter(lines), media_type="text/csv; charset=utf-8", headers=headers)


# What people do


async def change_alarms(request: Request) -> Response:
    """Acknowledge, shelve, or take a shelf back: what `do` names, for the key `alarm`.

    JSON for a program or the board, else the whole page.
    """
    person = await _attendant(request)
    form = await form_of(request)
    try:
        done = await _do(request, person, form)
    except Gone as gone:
        return _answer(request, 409, problem=wording(gone))
    except FormProblem as problem:
        return _answer(request, problem.status, problem=wording(problem))
    return _answer(request, 200, done=done)


async def _attendant(request: Request) -> Principal:
    """Somebody who may look after alarms. Raises SignInNeeded or Refused; a refusal is noted."""
    asker = guard.asker_of(request)
    if asker is None:
        raise guard.SignInNeeded
    if not ATTENDING & {right.value for right in asker.rights}:
        why = Sentence("Alarms are acknowledged by those who may act on the floor.")
        await guard.deny(request, asker, Deed("acknowledge alarm"), why)
        raise guard.Refused(why)
    return asker


async def _do(request: Request, person: Principal, form: Form) -> str:
    row = _standing(request, person, form.one("alarm")[:LONGEST_KEY])
    now = parts_of(request).clock()
    match form.one("do"):
        case "acknowledge":
            event: Event = AlarmAcknowledged(alarm=row.key, by=person.name)
            deed = _deed(row, "acknowledge alarm")
        case "shelve":
            minutes = _minutes(form)
            event = AlarmShelved(alarm=row.key, until=now + minutes * MINUTE, by=person.name)
            deed = _deed(row, "shelve alarm", f"for {minutes} min")
        case "unshelve":
            event = AlarmShelved(alarm=row.key, until=now, by=person.name)
            deed = _deed(row, "end alarm's shelving")
        case _:
            raise FormProblem("There is no such thing to do.")
    await change_floor(request, person, [deed], [event])
    return form.one("do")


def _standing(request: Request, person: Principal, key: str) -> AlarmRow:
    rows = audience_of(request, person).alarms(parts_of(request).floor.alarm_rows())
    found = next((row for row in rows if row.key == key), None)
    if found is None:
        raise Gone("This alarm does not stand any more; nothing was changed.")
    return found


def _minutes(form: Form) -> int:
    minutes = form.number("minutes")
    if not 1 <= minutes <= LONGEST_SHELF_MIN:
        raise FormProblem("An alarm is silenced for 1 to 1440 minutes.")
    return minutes


def _deed(row: AlarmRow, action: str, extra: str = "") -> Deed:
    reason = " ".join(part for part in (row.metric, row.name, extra) if part)
    return Deed(
        action=action,
        extension=row.subject if row.kind == "agents" else "",
        queue=row.subject if row.kind == "queues" else "",
        reason=reason,
    )


def _answer(request: Request, status: int, *, done: str = "", problem: str = "") -> Response:
    if "application/json" in request.headers.get("accept", ""):
        return json_response({"ok": not problem, "message": str(problem)}, status)
    return _shown(request, status, done=done, problem=problem)


ROUTES: list[BaseRoute] = [
    Route("/alarms", alarms_page, methods=["GET"]),
    Route("/alarms", change_alarms, methods=["POST"]),
    Route("/alarms/export", export, methods=["GET"]),
]
