"""`/calls`: the search; `/calls/<callid>`: a call's whole story, and its recording."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.history.marks import Change
from app.history.rows import OUTCOMES
from app.history.search import (
    MOST,
    CallFilter,
    CallRow,
    WrongFilter,
    calls_seen_at,
    find_call,
    search_calls,
    took_part,
)
from app.history.story import Step, call_story
from app.sentences import wording
from app.web.forms import FormProblem
from app.web.history import recordings
from app.web.history.looking import Looker, caught_up, digest_reference, looker_of
from app.web.history.sheets import Row, Sheet
from app.web.history.shown import COLUMNS, call_cells, shown_call
from app.web.history_api import moment
from app.web.pages import render

PAGE = 50
FIELDS = ("from", "to", "queue", "agent", "outcome", "direction", "phone")
LONGEST_FIELD = 64
DIGITS_FOR_ALL = 3
# What stands first in these changes is a queue, in all others an agent.
ABOUT_QUEUE = frozenset({"enters", "answered", "abandoned", "otherwise", "open"})


async def calls_page(request: Request) -> Response:
    """One page of the calls that the filters name, the newest first."""
    looker, asked, problem = looker_of(request), asked_of(request), ""
    rows, cursor = [], None
    try:
        page = await search_calls(
            looker.parts.database,
            filter_of(looker, asked),
            request.query_params.get("cursor", "")[:400],
            PAGE,
        )
        rows, cursor = [shown_call(looker, call) for call in page.calls], page.cursor
    except WrongFilter as wrong:
        problem = wording(wrong)
    query = urlencode({name: value for name, value in asked.items() if value})
    return render(
        request,
        "calls.html",
        422 if problem else 200,
        calls=rows,
        asked=asked,
        outcomes=OUTCOMES,
        choices=looker.choices,
        masked=looker.masked,
        query=query,
        older=urlencode({**asked, "cursor": cursor}) if cursor else "",
        first="cursor" not in request.query_params,
        problem=problem,
    )


def asked_of(request: Request) -> dict[str, str]:
    """The filters as they were typed."""
    given = request.query_params
    return {name: given.get(name, "").strip()[:LONGEST_FIELD] for name in FIELDS}


def filter_of(looker: Looker, asked: Mapping[str, str]) -> CallFilter:
    """What they mean, within the person's scope; a date in `to` is included. Raises WrongFilter."""
    since = moment(asked["from"], "from", looker.days) if asked["from"] else None
    until = moment(_day_after(asked["to"]), "to", looker.days) if asked["to"] else None
    if since is not None and until is not None and since >= until:
        raise WrongFilter("from must be earlier than to.")
    if looker.masked:
        _refuse_guesses(asked["phone"])
    rest = {name: asked[name] for name in FIELDS[2:]}
    return CallFilter(since, until, **rest, queues=looker.person.queues)


def _refuse_guesses(phone: str) -> None:
    """Who may not see numbers may not find them out digit by digit either."""
    digits = sum(letter.isdigit() for letter in phone)
    if phone and (not phone.isdigit() or digits != DIGITS_FOR_ALL):
        raise WrongFilter("Your account does not show numbers: search by the last three digits.")


def _day_after(text: str) -> str:
    if len(text) != len("2026-11-22"):
        return text
    try:
        return (date.fromisoformat(text) + timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        return text


def calls_sheet(request: Request, looker: Looker) -> Sheet:
    """All calls that the filters name. Raises WrongFilter."""
    wanted = filter_of(looker, asked_of(request))
    wanted.conditions()
    return Sheet("calls", COLUMNS, _all_calls(looker, wanted))


async def _all_calls(looker: Looker, wanted: CallFilter) -> AsyncIterator[Row]:
    cursor: str | None = ""
    while cursor is not None:
        page = await search_calls(looker.parts.database, wanted, cursor, MOST)
        for call in page.calls:
            yield call_cells(looker, call)
        cursor = page.cursor


# One call


@dataclass(frozen=True, slots=True)
class Told:
    """One event for a page: `changed` are (word, names), `said` are (field, value) as told."""

    seq: int
    at: int
    kind: str
    source: str
    said: tuple[tuple[str, str], ...]
    changed: tuple[tuple[str, tuple[str, ...]], ...]


async def call_page(request: Request) -> Response:
    """The whole story of one call."""
    looker = looker_of(request)
    call = await _call(request, looker)
    if call is None:
        return render(request, "gone.html", 404, back="/calls")
    extensions = frozenset(await took_part(looker.parts.database, call))
    why_silent = recordings.why_not(looker, call, extensions)
    page = render(
        request,
        "call.html",
        call=shown_call(looker, call),
        steps=await told_steps(looker, call),
        why_silent=why_silent,
    )
    if not why_silent:
        source = recordings.source_of(call.recording, looker.parts.settings.recording_hosts)
        page.headers["content-security-policy"] = recordings.policy_for(source)
    return page


async def told_steps(looker: Looker, call: CallRow) -> list[Told]:
    """Every event of the call as this person may see it."""
    parts = looker.parts
    steps = await call_story(parts.database, parts.log, call.callid)
    return [_told(looker, step) for step in steps if looker.audience.may_know_of(step.kind)]


def _told(looker: Looker, step: Step) -> Told:
    said = {name: value for name, value in step.said.items() if name not in {"callid", "recording"}}
    if not looker.person.sees_queue(str(said.get("queue", ""))):
        said.pop("queue", None)
    return Told(
        step.seq,
        step.at,
        step.kind,
        step.source,
        tuple((name, looker.told(name, value)) for name, value in said.items()),
        tuple((change[0], _names(looker, change)) for change in step.changed),
    )


def _names(looker: Looker, change: Change) -> tuple[str, ...]:
    word, *about = change
    names = [_agent(looker, each) for each in about]
    if word in ABOUT_QUEUE and about:
        names[0] = looker.queue_name(about[0])
    return tuple(names)


def _agent(looker: Looker, extension: str) -> str:
    name = looker.agent_name(extension)
    return f"{name} ({extension})" if name else extension


async def _call(request: Request, looker: Looker) -> CallRow | None:
    """The call that the path names, by its id or by a reference; None where it is not theirs."""
    name = request.path_params["callid"][:128]
    await caught_up(looker)
    call = await find_call(looker.parts.database, name)
    if call is None and name.startswith("~"):
        call = await _referred(looker, name)
    return call if call is not None and looker.sees_call(call) else None


async def _referred(looker: Looker, name: str) -> CallRow | None:
    at = name[1:].partition("~")[0]
    if not (at.isascii() and at.isdigit() and len(at) < 16):
        return None
    calls = await calls_seen_at(looker.parts.database, int(at))
    return next((call for call in calls if digest_reference(call) == name), None)


async def play(request: Request) -> Response:
    """The player of the call's recording."""
    looker = looker_of(request)
    call = await _call(request, looker)
    if call is None:
        raise FormProblem("There is no such call.", 404)
    return await recordings.play(request, looker, call)


STORY_COLUMNS = ("seq", "at", "source", "event", "changes", "fields")


async def story_sheet(request: Request, looker: Looker, callid: str) -> Sheet:
    """The story of one call. Raises FormProblem."""
    request.path_params["callid"] = callid
    call = await _call(request, looker)
    if call is None:
        raise FormProblem("There is no such call.", 404)
    return Sheet("call", STORY_COLUMNS, _story_rows(looker, await told_steps(looker, call)))


async def _story_rows(looker: Looker, steps: list[Told]) -> AsyncIterator[Row]:
    for step in steps:
        changes = "; ".join(" ".join((word, *names)) for word, names in step.changed)
        fields = "; ".join(f"{name}={value}" for name, value in step.said)
        yield step.seq, looker.local(step.at), step.source, step.kind, changes, fields


ROUTES: list[BaseRoute] = [
    Route("/calls", calls_page, methods=["GET"]),
    Route("/calls/{callid}", call_page, methods=["GET"]),
    Route("/calls/{callid}/recording", play, methods=["POST"]),
]
