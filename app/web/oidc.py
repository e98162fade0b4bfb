"""Signing in by an OpenID Connect provider: away to it, and back."""

import hmac

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from app.access.oidc import Identity, Oidc, OidcProblem
from app.audit import Deed
from app.sentences import Sentence, wording
from app.web import cookies
from app.web.auth import TOO_SOON, next_of, show_login, sign_in
from app.web.guard import access_of, actor_of, address_of

STATE = "oidc"
NOBODY = Sentence("Nobody here has your address as a user name. Ask an administrator to add you.")
OFF = Sentence("Signing in by another program is not set up here.")


def _provider(request: Request) -> Oidc:
    provider = access_of(request).oidc
    if provider is None:
        raise OidcProblem(OFF)
    return provider


async def away(request: Request) -> Response:
    """To the provider, with a state that only this browser can bring back."""
    try:
        if wait := access_of(request).attempts.too_many(f"oidc {address_of(request)}"):
            raise OidcProblem(TOO_SOON.filled(wait=wait))
        address, state = await _provider(request).begin(next_of(request))
    except OidcProblem as problem:
        return _failed(request, wording(problem))
    response = RedirectResponse(address, 303)
    cookies.give(request, response, STATE, state)
    return response


async def back(request: Request) -> Response:
    """From the provider: a session for the account that this person has."""
    try:
        identity, page = await _came_back(request)
    except OidcProblem as problem:
        return _failed(request, wording(problem))
    access = access_of(request)
    issuer = _provider(request).client.issuer
    account = await access.identities.account_of(issuer, identity.subject, identity.email)
    if account is None:
        deed = Deed("sign in by provider", reason=identity.email or "no verified address")
        await access.audit.denied(actor_of(request), deed, "no such user")
        return _failed(request, NOBODY)
    response = await sign_in(request, account, page, "sign in by provider")
    cookies.take_back(request, response, STATE)
    return response


async def _came_back(request: Request) -> tuple[Identity, str]:
    state, code = request.query_params.get("state", ""), request.query_params.get("code", "")
    kept = cookies.read(request, STATE)
    # Without this another person's answer could be slipped under this browser.
    if not kept or not hmac.compare_digest(state.encode(errors="replace"), kept.encode()):
        raise OidcProblem("This sign-in was not begun in this browser. Start again.")
    if not code:
        raise OidcProblem("The sign-in provider did not let you in.")
    return await _provider(request).finish(state, code[:2048])


def _failed(request: Request, problem: str) -> Response:
    response = show_login(request, problem, 403)
    cookies.take_back(request, response, STATE)
    return response


ROUTES: list[BaseRoute] = [
    Route("/login/oidc", away, methods=["GET"]),
    Route("/login/oidc/callback", back, methods=["GET"]),
]
