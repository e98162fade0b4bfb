"""`GET /api/v1/calls`: the calls of the past as JSON, filtered, page by page."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.domain.days import BusinessDay
from app.domain.report import Json, rfc3339
from app.history.search import MOST, CallFilter, CallRow, WrongFilter, search_calls
from app.web.api import json_response, may_read, refuse
from app.web.parts import parts_of

WORDS = ("queue", "agent", "outcome", "direction", "phone")
KNOWN = frozenset({*WORDS, "from", "to", "cursor", "limit"})


async def calls(request: Request) -> Response:
    """One page of the calls that are asked for, the newest first."""
    parts = parts_of(request)
    if not may_read(request, parts):
        return refuse()
    asked, settings = request.query_params, parts.settings
    try:
        wanted = filter_of(dict(asked), BusinessDay(settings.timezone, settings.day_start))
        limit = _limit(asked.get("limit", "100"))
        page = await search_calls(parts.database, wanted, asked.get("cursor", ""), limit)
    except WrongFilter as error:
        return json_response({"error": str(error)}, 422)
    return json_response({"calls": [call_json(call) for call in page.calls], "next": page.cursor})


def filter_of(asked: dict[str, str], days: BusinessDay) -> CallFilter:
    """The filter that a query string means. Raises WrongFilter."""
    if unknown := sorted(set(asked) - KNOWN):
        known = ", ".join(sorted(KNOWN))
        raise WrongFilter(f"'{unknown[0]}' is no filter here. Known are {known}.")
    since = moment(asked["from"], "from", days) if asked.get("from") else None
    until = moment(asked["to"], "to", days) if asked.get("to") else None
    if since is not None and until is not None and since >= until:
        raise WrongFilter("from must be earlier than to; a call at to itself is not included.")
    queue, agent, outcome, direction, phone = (asked.get(name, "").strip() for name in WORDS)
    return CallFilter(since, until, queue, agent, outcome, direction, phone)


def moment(text: str, name: str, days: BusinessDay) -> int:
    """A date (when that business day begins) or a time, in ms. Raises WrongFilter."""
    try:
        if len(text) == len("2026-11-22"):
            return days.begins(date.fromisoformat(text))
        return _ms(datetime.fromisoformat(text.replace(" ", "+")), days.zone)
    except (ValueError, OverflowError) as error:
        raise WrongFilter(
            f"{name} is a date like 2026-11-22 or a time like 2026-11-22T03:15:20Z."
        ) from error


def _ms(then: datetime, zone: ZoneInfo) -> int:
    """A time that names no zone is local, as people write it."""
    aware = then if then.tzinfo else then.replace(tzinfo=zone)
    return round(aware.timestamp() * 1000)


def _limit(text: str) -> int:
    # Python refuses to read a number of thousands of digits.
    if text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= MOST:
        return int(text)
    raise WrongFilter(f"limit is how many calls a page holds, from 1 to {MOST}.")


def call_json(call: CallRow) -> Json:
    """One call: times are RFC 3339, spans are seconds."""
    return {
        "callid": call.callid,
        "first_seen": rfc3339(call.first_seen),
        "started": _time(call.started),
        "answered_at": _time(call.answered_at),
        "ended_at": _time(call.ended_at),
        "direction": call.direction,
        "outcome": call.outcome,
        "phone": call.phone,
        "did": call.did,
        "queues": list(call.queues),
        "agent": call.agent or None,
        "wait_s": _seconds(call.wait_ms),
        "wait_exact": call.exact,
        "talk_s": _seconds(call.talk_ms),
        "recording": call.recording or None,
        "inferred": call.inferred,
        "lost": call.lost,
    }


def _time(at: int | None) -> str | None:
    return None if at is None else rfc3339(at)


def _seconds(span_ms: int | None) -> float | None:
    return None if span_ms is None else span_ms / 1000


ROUTES: list[BaseRoute] = [Route("/api/v1/calls", calls, methods=["GET"])]
