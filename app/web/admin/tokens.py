"""The page of API tokens: made for one program each, shown once, ended at once."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.access.api_tokens import TokenProblem
from app.audit import Deed
from app.rights import Principal
from app.sentences import wording
from app.web.admin.page import act, shown
from app.web.forms import Form
from app.web.guard import access_of, along, note, require_admin
from app.web.parts import parts_of


async def tokens_page(request: Request) -> Response:
    await require_admin(request)
    return _shown(request)


def _shown(request: Request, status: int = 200, **said: object) -> Response:
    return shown(
        request,
        "admin_tokens.html",
        status,
        tokens=access_of(request).tokens.all(),
        given=bool(parts_of(request).settings.api_token),
        url=parts_of(request).settings.public_url,
        **{"token": "", **said},
    )


async def change_tokens(request: Request) -> Response:
    """What `do` names; without `do` a token is made."""
    try:
        return await act(request, {"": make, "remove": remove})
    except TokenProblem as problem:
        return _shown(request, 422, problem=wording(problem))


async def make(request: Request, admin: Principal, form: Form) -> Response:
    name = form.one("name").strip()
    noting = along(request, admin, Deed("make API token", reason=name))
    text = await access_of(request).tokens.add(name, admin.name, noting)
    return _shown(request, done="made", who=name, token=text)


async def remove(request: Request, admin: Principal, form: Form) -> Response:
    tokens = access_of(request).tokens
    token = tokens.known(form.number("token"))
    await note(request, admin, Deed("remove API token", reason=token.name))
    await tokens.remove(token.token_id)
    return _shown(request, done="removed", who=token.name)


ROUTES: list[BaseRoute] = [
    Route("/admin/tokens", tokens_page, methods=["GET"]),
    Route("/admin/tokens", change_tokens, methods=["POST"]),
]
