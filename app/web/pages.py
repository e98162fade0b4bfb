"""Pages of people, in their language; and what they see when something is refused."""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from app.access.accounts import AccountProblem
from app.access.passwords import PasswordsBusy
from app.database import DatabaseUnavailable
from app.log import LogUnavailable
from app.sentences import wording
from app.web import guard
from app.web.forms import FormProblem
from app.web.headers import with_security
from app.web.parts import parts_of

# Plain and in one language: whatever makes pages may be what is broken.
BROKEN = (
    "Something in Pitwall is broken, and this was not done.\n"
    "Try once more; if it stays so, tell whoever runs it that its error log says why.\n"
)
language_of = guard.language_of

Handler = Callable[[Request, Exception], Awaitable[Response]]


def render(
    connection: HTTPConnection, template: str, status: int = 200, **context: object
) -> HTMLResponse:
    """A page. Every template may use `principal`: who is signed in, or None."""
    renderer = parts_of(connection).renderer
    given = {"page": template.removesuffix(".html"), "principal": guard.person_of(connection)}
    html = renderer.page(template, language_of(connection), **{**given, **context})
    return HTMLResponse(html, status)


def go(connection: HTTPConnection, path: str) -> Response:
    """Send the browser to a page of ours, whether a form or htmx asked."""
    if is_htmx(connection):
        return Response(status_code=200, headers={"HX-Redirect": path})
    return RedirectResponse(path, 303)


def is_htmx(connection: HTTPConnection) -> bool:
    return connection.headers.get("hx-request") == "true"


def local(path: str) -> str:
    """`path` if it is one of ours, else "/": never another site, whatever a browser makes of it."""
    plain = path.isascii() and path.isprintable() and "\\" not in path
    inside = path.startswith("/") and not path.startswith("//") and "/./" not in path
    return path if plain and inside and ".." not in path else "/"


def here(request: Request) -> str:
    """The path of a page that was asked for, to come back to it."""
    query = request.scope["query_string"].decode("latin-1")
    return quote(request.scope["path"] + (f"?{query}" if query else ""), safe="/")


async def ask_to_sign_in(request: Request, error: Exception) -> Response:
    if guard.wall_of(request) and request.method == "GET":
        return RedirectResponse("/wall", 303)
    if is_htmx(request):
        return Response(status_code=401, headers={"HX-Redirect": "/login"})
    if request.method != "GET":
        return HTMLResponse(f"{guard.said(request, guard.SIGN_IN)}\n", 401)
    return RedirectResponse(f"/login?next={here(request)}", 303)


async def ask_to_confirm(request: Request, error: Exception) -> Response:
    """Administration goes on after the password; what was typed must be typed again."""
    path = f"/confirm?next={quote(request.scope['path'], safe='/')}"
    if is_htmx(request):
        return Response(status_code=403, headers={"HX-Redirect": path})
    return RedirectResponse(path, 303)


def refusing(status: int) -> Handler:
    """A handler that shows the exception's sentence with this status."""

    async def refuse(request: Request, error: Exception) -> Response:
        return render(request, "refused.html", status, sentence=wording(error))

    return refuse


async def refuse_form(request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, FormProblem) else 400
    return render(request, "refused.html", status, sentence=wording(error))


async def own_up(request: Request, error: Exception) -> Response:
    """A fault of ours. It is answered outside of all middleware, so the headers are put here."""
    answer = PlainTextResponse(BROKEN, 500)
    answer.raw_headers = with_security(answer.raw_headers)
    return answer


EXCEPTION_HANDLERS: dict[type[Exception], Handler] = {
    guard.SignInNeeded: ask_to_sign_in,
    guard.ConfirmationNeeded: ask_to_confirm,
    guard.Refused: refusing(403),
    FormProblem: refuse_form,
    AccountProblem: refusing(422),
    PasswordsBusy: refusing(503),
    DatabaseUnavailable: refusing(503),
    LogUnavailable: refusing(503),
    Exception: own_up,
}
