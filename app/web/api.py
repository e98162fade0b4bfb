"""The JSON API: read-only, stable, for programs with a bearer token."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from app.domain.report import changes_report, floor_report
from app.web.parts import Parts, parts_of

STREAM_PACE_S = 0.1
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
    token = bearer(request)
    return bool(token) and parts.access.tokens.accepts(token)


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


async def stream(request: Request) -> Response:
    """Server-sent events: what changed, as it is then; first the whole floor unless `after` is now.

    `after` (or Last-Event-ID) is the seq that the program has already seen. When its token is
    removed the stream ends.
    """
    parts = parts_of(request)
    if not may_read(request, parts):
        return refuse()
    after = request.headers.get("last-event-id") or request.query_params.get("after", "0")
    if not after.isascii() or not after.isdigit() or len(after) > 15:
        return json_response({"error": "after is the number of an event, from 0"}, 422)
    changes = _changes(request, parts, int(after))
    return StreamingResponse(changes, media_type="text/event-stream")


async def _changes(request: Request, parts: Parts, after: int) -> AsyncIterator[bytes]:
    with parts.projector.subscribe() as subscription:
        if after != parts.projector.applied:
            report = floor_report(parts.floor.state, parts.clock(), parts.journal.refused)
            yield _sent(b"floor", report)
        while True:
            changes = await subscription.take()
            if not may_read(request, parts):
                return
            yield _sent(b"changes", changes_report(parts.floor.state, changes, parts.clock()))
            await asyncio.sleep(STREAM_PACE_S)


def _sent(name: bytes, report: dict[str, Any]) -> bytes:
    return b"event: %s\nid: %d\ndata: %s\n\n" % (name, report["seq"], msgspec.json.encode(report))


ROUTES: list[BaseRoute] = [
    Route("/api/v1/floor", floor, methods=["GET"]),
    Route("/api/v1/stream", stream, methods=["GET"]),
]
