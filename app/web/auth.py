"""Signing in and out: the sign-in page, the one-time link, the password asked again."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.access.accounts import Account, AccountProblem
from app.access.links import FIRST
from app.audit import Deed
from app.sentences import Sentence, wording
from app.web import cookies
from app.web.forms import Form, form_of
from app.web.guard import access_of, actor_of, address_of, along, deny, person_of, require_person
from app.web.pages import go, local, render

# One sentence for a wrong name, a wrong password and a disabled account.
WRONG = Sentence("The name or the password is not right.")
TOO_SOON = Sentence("Too many attempts. Try again in {wait} s.")


async def login_page(request: Request) -> Response:
    """The form; whoever is signed in goes on."""
    if person_of(request):
        return go(request, "/")
    return show_login(request)


async def login(request: Request) -> Response:
    """A session for the right name and password."""
    form = await form_of(request)
    username, password = form.one("username")[:256].strip().lower(), form.one("password")
    access, address = access_of(request), address_of(request)
    if wait := access.attempts.wait_s(username, address):
        response = show_login(request, TOO_SOON.filled(wait=wait), 429, username)
        response.headers["Retry-After"] = str(wait)
        return response
    account = await access.accounts.authenticate(username, password[:257])
    if account is None:
        await _note_failure(request, username)
        return show_login(request, WRONG, 401, username)
    access.attempts.succeeded(username, address)
    return await sign_in(request, account, next_of(request), "sign in")


def next_of(request: Request) -> str:
    """Where to go after signing in: a page of ours, whatever was asked."""
    return local(request.query_params.get("next", "/"))


def show_login(
    request: Request, problem: str = "", status: int = 200, username: str = ""
) -> Response:
    """The form, with what went wrong."""
    provider = access_of(request).oidc is not None
    context = {"problem": problem, "next": next_of(request), "username": username}
    return render(request, "login.html", status, provider=provider, **context)


async def _note_failure(request: Request, username: str) -> None:
    """Whose account was tried, if anybody's: what was typed may be a password."""
    access = access_of(request)
    account = access.accounts.named(username)
    tried = account.username if account else ""
    deed = Deed("sign in", reason=f"as {tried}" if tried else "as nobody known")
    await access.audit.denied(actor_of(request), deed, "wrong name or password")


async def sign_in(request: Request, account: Account, path: str, action: str) -> Response:
    """A new session, never the id that the browser came with."""
    access = access_of(request)
    await _end_present_session(request)
    browser = request.headers.get("user-agent", "")
    secret = await access.sessions.open(account.user_id, address_of(request), browser)
    session = access.sessions.find(secret)
    person = access.accounts.principal(session) if session else None
    await access.audit.done(actor_of(request, person), Deed(action))
    response = go(request, path)
    cookies.give(request, response, cookies.SESSION, secret)
    return response


async def _end_present_session(request: Request) -> None:
    sessions = access_of(request).sessions
    if session := sessions.find(cookies.read(request, cookies.SESSION)):
        await sessions.end([session.key])


async def logout(request: Request) -> Response:
    """End the session; every board that it has open closes."""
    person = person_of(request)
    if person:
        await access_of(request).sessions.end([person.session])
        await access_of(request).audit.done(actor_of(request, person), Deed("sign out"))
    response = go(request, "/login")
    cookies.take_back(request, response, cookies.SESSION)
    return response


async def confirm_page(request: Request) -> Response:
    require_person(request)
    return render(request, "confirm.html", problem="", next=next_of(request))


async def confirm(request: Request) -> Response:
    """The password once more, before something is administered."""
    person = require_person(request)
    form = await form_of(request)
    if problem := await wrong_password(request, form.one("password")):
        return render(request, "confirm.html", 401, problem=problem, next=next_of(request))
    access_of(request).sessions.confirm(person.session)
    return go(request, next_of(request))


async def wrong_password(request: Request, password: str) -> str:
    """Why this is not the signed-in person's password; "" when it is. Guessing gets slower."""
    person, access, address = require_person(request), access_of(request), address_of(request)
    account = access.accounts.get(person.user_id)
    username = account.username if account else ""
    if wait := access.attempts.wait_s(username, address):
        return TOO_SOON.filled(wait=wait)
    if await access.accounts.authenticate(username, password[:257]) is None:
        await deny(request, person, Deed("confirm password"), "wrong password")
        return Sentence("The password is not right.")
    access.attempts.succeeded(username, address)
    return ""


async def setup_page(request: Request) -> Response:
    """What a one-time link opens."""
    owner = await access_of(request).links.whose(request.path_params["secret"])
    return _setup(request, owner, "", 404 if owner is None else 200)


async def setup(request: Request) -> Response:
    """Choose a password by a one-time link, and be signed in."""
    form = await form_of(request)
    links, secret = access_of(request).links, request.path_params["secret"]
    owner = await links.whose(secret)
    chosen = owner.username if isinstance(owner, Account) else form.one("username").strip().lower()
    noting = along(request, None, Deed("choose password by link", reason=chosen))
    try:
        account = await links.use(secret, form.one("username"), _chosen(form), noting)
    except AccountProblem as problem:
        return _setup(request, owner, wording(problem), 404 if owner is None else 422)
    return await sign_in(request, account, "/", "sign in by link")


def _setup(request: Request, owner: Account | int | None, problem: str, status: int) -> Response:
    context = {
        "works": owner is not None,
        "first": owner == FIRST,
        "username": owner.username if isinstance(owner, Account) else "",
        "problem": problem,
    }
    return render(request, "setup.html", status, **context)


def _chosen(form: Form) -> str:
    """The new password, typed twice alike. Raises AccountProblem."""
    password = form.one("password")
    if "again" in form and form.one("again") != password:
        raise AccountProblem("The two passwords are not the same.", "again")
    return password


ROUTES: list[BaseRoute] = [
    Route("/login", login_page, methods=["GET"]),
    Route("/login", login, methods=["POST"]),
    Route("/logout", logout, methods=["POST"]),
    Route("/confirm", confirm_page, methods=["GET"]),
    Route("/confirm", confirm, methods=["POST"]),
    Route("/setup/{secret}", setup_page, methods=["GET"]),
    Route("/setup/{secret}", setup, methods=["POST"]),
]
