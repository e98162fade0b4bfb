"""One's own account: language, password, and where one is signed in."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.access.accounts import AccountProblem
from app.audit import Deed
from app.rights import Principal
from app.sentences import Sentence, wording
from app.web import cookies
from app.web.auth import wrong_password
from app.web.forms import Form, FormProblem, form_of
from app.web.guard import access_of, address_of, along, note, require_person
from app.web.pages import go, render


async def account_page(request: Request) -> Response:
    return _shown(request)


def _shown(request: Request, status: int = 200, **said: str) -> Response:
    person = require_person(request)
    sessions = access_of(request).sessions.of(person.user_id)
    newest_first = sorted(sessions, key=lambda session: session.seen_at, reverse=True)
    context = {"problem": "", "done": "", **said}
    return render(request, "sessions.html", status, sessions=newest_first, **context)


async def change_account(request: Request) -> Response:
    """What `do` names. Nobody changes their own role, rights, queues, extension or name here."""
    person, form = require_person(request), await form_of(request)
    actions = {"": set_language, "password": set_password, "end": end_session}
    action = actions.get(form.one("do"))
    if action is None:
        raise FormProblem("There is no such thing to do.")
    try:
        return await action(request, person, form)
    except AccountProblem as problem:
        return _shown(request, 422, problem=wording(problem))


async def set_language(request: Request, person: Principal, form: Form) -> Response:
    if "language" in form:
        await access_of(request).accounts.change(person.user_id, language=form.one("language"))
    return _shown(request, done="saved")


async def set_password(request: Request, person: Principal, form: Form) -> Response:
    """A new password ends every session; this browser gets a new one."""
    if problem := await wrong_password(request, form.one("current")):
        return _shown(request, 422, problem=problem)
    if form.one("again") != form.one("password"):
        return _shown(request, 422, problem=Sentence("The two passwords are not the same."))
    access = access_of(request)
    noting = along(request, person, Deed("change own password"))
    await access.accounts.set_password(person.user_id, form.one("password"), noting)
    browser = request.headers.get("user-agent", "")
    secret = await access.sessions.open(person.user_id, address_of(request), browser)
    response = go(request, "/account")
    cookies.give(request, response, cookies.SESSION, secret)
    return response


async def end_session(request: Request, person: Principal, form: Form) -> Response:
    """Sign one of one's own browsers out; this one too, if it is this one."""
    access = access_of(request)
    session = access.sessions.by_key(form.one("session"))
    if session and session.user_id == person.user_id:
        await note(request, person, Deed("end own session"))
        await access.sessions.end([session.key])
    if session and session.key == person.session:
        return go(request, "/login")
    return _shown(request, done="ended")


ROUTES: list[BaseRoute] = [
    Route("/account", account_page, methods=["GET"]),
    Route("/account", change_account, methods=["POST"]),
]
