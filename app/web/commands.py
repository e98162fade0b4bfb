"""What people do to the floor: POST routes, one per action. Rights, then the form, then the deed.

The answer is a toast for the page that asked, or JSON where a program asked for it. The card is
never in it: what changes on the board comes through the board's own socket.
"""

import re
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from app.actions.deeds import Kind, Outcome
from app.actions.desk import LONGEST_REASON, Asker
from app.actions.listening import SpyWish
from app.actions.pausing import PauseWish
from app.actions.promptly import promptly
from app.actions.several import MOST
from app.audit import Deed
from app.database import DatabaseUnavailable
from app.pbx import SpyMode
from app.render import hashed_id
from app.rights import SPYING, Principal, Right
from app.sentences import Sentence, wording
from app.web import guard
from app.web.api import json_response
from app.web.forms import Form, FormProblem, form_of
from app.web.pages import language_of
from app.web.parts import Parts, parts_of

EXTENSION = re.compile(r"[A-Za-z0-9._-]{1,32}", re.ASCII)
CALLID = re.compile(r"[A-Za-z0-9._:@+=-]{1,128}", re.ASCII)
TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
LONGEST_PAUSE_MIN = 24 * 60
WORDS = {
    "spy": Sentence("spy"),
    "pause": Sentence("pause"),
    "resume": Sentence("resume"),
    "call": Sentence("call"),
    "call back": Sentence("call back"),
}

Handler = Callable[[Request], Coroutine[Any, Any, Outcome]]


async def spy(request: Request) -> Outcome:
    """Listen, whisper, barge, or speak to the caller."""
    asker = await _asker(request, SPYING, "spy")
    form = _fields(await form_of(request), "callid", "call", "extension", "mode", "reason", "note")
    try:
        mode = SpyMode(form.one("mode"))
    except ValueError:
        raise FormProblem("The mode is one of: listen, whisper, barge, customer.") from None
    extension = _extension(form) if form.one("extension") else ""
    state = parts_of(request).floor.state
    agent = state.agents.get(extension)
    callid = _callid(form, agent.legs if agent else state.calls)
    wish = SpyWish(callid, mode, extension, _reason(form))
    return await parts_of(request).actions.listening.start(asker, wish)


async def end_listening(request: Request) -> Outcome:
    """One's own listening is over. No right is needed to stop."""
    person = guard.require_person(request)
    form = _fields(await form_of(request), "extension")
    asker = Asker(person, guard.actor_of(request, person))
    return await parts_of(request).actions.listening.end(asker, _extension(form))


async def pause(request: Request) -> Outcome:
    """Pause one agent, now or after the present call."""
    asker = await _asker(request, [Right.PAUSE], "pause")
    form = _fields(await form_of(request), "extension", *PAUSE_FIELDS)
    extension, wish = _extension(form), _pause_wish(form, parts_of(request))
    return await parts_of(request).actions.pausing.pause(asker, extension, wish)


async def resume(request: Request) -> Outcome:
    """Let one agent go on."""
    asker = await _asker(request, [Right.PAUSE], "resume")
    form = _fields(await form_of(request), "extension")
    return await parts_of(request).actions.pausing.resume(asker, _extension(form))


async def pause_several(request: Request) -> Outcome:
    """Pause all agents that were selected."""
    asker = await _asker(request, [Right.PAUSE], "pause")
    form = _fields(await form_of(request), "extension", *PAUSE_FIELDS)
    extensions, wish = _extensions(form), _pause_wish(form, parts_of(request))
    return await parts_of(request).actions.several.pause(asker, extensions, wish)


async def resume_several(request: Request) -> Outcome:
    """Let all agents that were selected go on."""
    asker = await _asker(request, [Right.PAUSE], "resume")
    form = _fields(await form_of(request), "extension")
    return await parts_of(request).actions.several.resume(asker, _extensions(form))


async def call(request: Request) -> Outcome:
    """Call an agent by `extension`, or a `phone` number from one's own phone."""
    asker = await _asker(request, [Right.CALL], "call")
    form = _fields(await form_of(request), "extension", "phone")
    calling = parts_of(request).actions.calling
    if "phone" in form:
        own = _extension(form) if form.one("extension") else ""
        return await calling.number(asker, form.one("phone")[:80], own)
    return await calling.agent(asker, _extension(form))


async def call_back(request: Request) -> Outcome:
    """Call back somebody who gave up."""
    asker = await _asker(request, [Right.CALL], "call back")
    form = _fields(await form_of(request), "callid", "call")
    known = [row.callid for row in parts_of(request).floor.state.abandons]
    return await parts_of(request).actions.calling.back(asker, _callid(form, known))


# Who asks, and what


async def _asker(request: Request, rights: Iterable[Right], action: str) -> Asker:
    """Whoever has one of these rights at this moment. Raises SignInNeeded or Refused."""
    principal: Principal | None = guard.asker_of(request)
    if principal is None:
        raise guard.SignInNeeded
    if not any(principal.may(right) for right in rights):
        why = Sentence("Your account does not have the right “{right}”.", right=WORDS[action])
        await guard.deny(request, principal, Deed(action), why)
        raise guard.Refused(why)
    return Asker(principal, guard.actor_of(request, principal))


PAUSE_FIELDS = ("reason", "note", "minutes", "until", "when")


def _fields(form: Form, *allowed: str) -> Form:
    """The form, if every field in it has a meaning here."""
    if strange := sorted(set(form.names) - set(allowed)):
        raise FormProblem(
            Sentence("The field “{field}” has no meaning here.", field=strange[0][:40])
        )
    return form


def _extension(form: Form) -> str:
    return _checked(form.one("extension"), "extension", EXTENSION)


def _callid(form: Form, known: Iterable[str]) -> str:
    """The call by its id, or by `call`, the digest of it that pages have: an id may hold a number.

    A digest of none of the known calls is one that is over: it comes back as it is.
    """
    if not form.one("call"):
        return _checked(form.one("callid"), "callid", CALLID)
    wanted = _checked(form.one("call"), "call", CALLID)
    return next((each for each in known if hashed_id(each, "c") == wanted), wanted)


def _checked(value: str, name: str, pattern: re.Pattern[str]) -> str:
    if not value:
        raise FormProblem(Sentence("The field “{field}” is missing.", field=name))
    if not pattern.fullmatch(value):
        raise FormProblem(Sentence("The field “{field}” is not what it should be.", field=name))
    return value


def _extensions(form: Form) -> list[str]:
    """One field with commas, or the field several times."""
    given = [each for value in form.many("extension") for each in value.split(",") if each]
    extensions = [_checked(each, "extension", EXTENSION) for each in given]
    if not extensions:
        raise FormProblem("Select at least one agent.")
    if len(set(extensions)) > MOST:
        raise FormProblem(Sentence("At most {most} agents at once.", most=MOST))
    return extensions


def _reason(form: Form) -> str:
    """The chosen reason, with what was written beside it."""
    parts = [" ".join(form.one(name).split()) for name in ("reason", "note")]
    reason = ": ".join(part for part in parts if part)
    if len(reason) > LONGEST_REASON or not reason.isprintable():
        why = Sentence("A reason is at most {most} printable characters.", most=LONGEST_REASON)
        raise FormProblem(why)
    return reason


def _pause_wish(form: Form, parts: Parts) -> PauseWish:
    when = form.one("when")
    if when not in {"", "now", "after"}:
        raise FormProblem("The field “when” is one of: now, after.")
    planned = form.one("minutes") or form.one("until")
    return PauseWish(_reason(form), _until(form, parts), when == "after", planned)


def _until(form: Form, parts: Parts) -> int | None:
    """The planned end: in so many minutes, or at a time of day at the call centre."""
    minutes, until = form.one("minutes"), form.one("until")
    if minutes and until:
        raise FormProblem("Give the planned end as minutes or as a time, not as both.")
    if minutes:
        if not 1 <= form.number("minutes") <= LONGEST_PAUSE_MIN:
            raise FormProblem("A pause is planned for 1 to 1440 minutes.")
        return parts.clock() + form.number("minutes") * 60_000
    return _next(until, parts) if until else None


def _next(until: str, parts: Parts) -> int:
    """When it will next be that time, in ms since the epoch."""
    match = TIME.fullmatch(until)
    if match is None:
        raise FormProblem("The planned end is a time such as 14:30.")
    now = datetime.fromtimestamp(parts.clock() / 1000, parts.settings.timezone)
    end = now.replace(hour=int(match[1]), minute=int(match[2]), second=0, microsecond=0)
    end += timedelta(days=end <= now)
    return int(end.timestamp() * 1000)


# The answer


def answering(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """The handler as an endpoint; what it refuses becomes a toast as well."""

    async def endpoint(request: Request) -> Response:
        try:
            outcome = await promptly(handler(request))
        except FormProblem as problem:
            outcome = Outcome(Kind.REFUSED, wording(problem), problem.status)
        except guard.Refused as refused:
            outcome = Outcome(Kind.REFUSED, wording(refused), 403)
        except DatabaseUnavailable:
            sentence = Sentence(
                "Nothing was done: it can't be written down. Is the disk full, or the cluster away?"
            )
            outcome = Outcome(Kind.FAILED, sentence, 503)
        return _answer(request, outcome)

    return endpoint


def _answer(request: Request, outcome: Outcome) -> Response:
    headers = {"retry-after": str(outcome.retry_s)} if outcome.retry_s else {}
    if "application/json" in request.headers.get("accept", ""):
        return json_response(_plain(outcome), outcome.status, **headers)
    page = parts_of(request).renderer.page
    html = page("_toast.html", language_of(request), outcome=outcome)
    return HTMLResponse(html, outcome.status, headers)


def _plain(outcome: Outcome) -> dict[str, object]:
    answer: dict[str, object] = {
        "ok": outcome.ok,
        "result": outcome.kind.value,
        "message": str(outcome.sentence),
    }
    if outcome.parts:
        answer["agents"] = {extension: _plain(part) for extension, part in outcome.parts}
    return answer


def _route(path: str, handler: Handler) -> BaseRoute:
    return Route(f"/actions/{path}", answering(handler), methods=["POST"])


ROUTES: list[BaseRoute] = [
    _route("spy", spy),
    _route("end-listening", end_listening),
    _route("pause", pause),
    _route("resume", resume),
    _route("pause-several", pause_several),
    _route("resume-several", resume_several),
    _route("call", call),
    _route("call-back", call_back),
]
