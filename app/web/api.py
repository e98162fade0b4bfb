"""The JSON API: read-only, stable, for programs with a bearer token."""

import hmac
from hashlib import sha256

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.domain.report import floor_report
from app.web.parts import Parts, parts_of

UNAUTHORIZED = {
    "error": "A token is needed: send the header 'Authorization: Bearer TOKEN'. "
    "An administrator makes tokens, or sets PITWALL_API_TOKEN."
}


def json_response(value: object, status: int = 200, **headers: str) -> Response:
    """Any plain value as JSON."""
    return Response(msgspec.json.encode(value), status, headers, "application/json")


def bearer(request: Request) -> str:
    """The token that the request carries, "" for none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def may_read(request: Request, parts: Parts) -> bool:
    """The request carries a token that may read everything."""
    token, expected = bearer(request).encode(errors="replace"), parts.settings.api_token
    if not token or not expected:
        return False
    return hmac.compare_digest(sha256(token).digest(), sha256(expected.encode()).digest())


def refuse() -> Response:
    """No token, or a wrong one: it does not say which."""
    return json_response(UNAUTHORIZED, 401, **{"www-authenticate": "Bearer"})


async def floor(request: Request) -> Response:
    """The whole floor as it is now."""
    parts = parts_of(request)
    if not may_read(request, parts):
        return refuse()
    report = floor_report(parts.floor.state, parts.clock(), parts.journal.refused)
    return json_response(report)


ROUTES: list[BaseRoute] = [Route("/api/v1/floor", floor, methods=["GET"])]
