"""Where the PBX knocks: token, limits, decode, append, answer. It never touches the floor.

Bare ASGI endpoints, no Request object: this is the busiest path. A 200 means "on disk".
"""

import json
from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from app.faults import reach
from app.log import LogUnavailable
from app.pbx import WebhookError
from app.pbx.parameters import (
    BODY_BYTES,
    TOO_LARGE,
    BodyTooLarge,
    QueryTooLong,
    UnknownType,
    merge,
    parse_body,
    parse_query,
)
from app.pbx.voicecloud import UnknownWebhook, decode
from app.peers import is_allowed
from app.web.parts import Parts, parts_in

Headers = list[tuple[bytes, bytes]]

HOOK_PREFIX = "/hook/"

WRONG_TOKENS_PER_MINUTE = 20
STATUSES: dict[type[WebhookError], int] = {
    UnknownWebhook: 404,
    BodyTooLarge: 413,
    QueryTooLong: 414,
    UnknownType: 415,
}
JSON = (b"content-type", b"application/json")
PLAIN = (b"content-type", b"text/plain; charset=utf-8")
GUARD = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))
# Header lists are made once per length of body: there are only so many.
JSON_HEADERS: list[Headers] = [
    [JSON, (b"content-length", b"%d" % length), *GUARD] for length in range(64)
]
ACCEPTED: list[bytes] = [
    b"".join(b"%b: %b\r\n" % header for header in headers) for headers in JSON_HEADERS
]


class SenderGone(Exception):
    """The connection ended before the request did; nobody is left to answer."""


class TokenHook:
    """`/hook/<token>/api/…`: address and token are judged before anything else is read."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        parts, peer = parts_in(scope), _peer(scope)
        token, _, path = scope["path_params"]["rest"].partition("/")
        allowed = parts.settings.webhook_from
        if allowed and not is_allowed(peer, allowed):
            # As if the token were wrong: whoever stole it learns nothing.
            parts.journal.count_bare(peer)
            await _answer_plainly(send, 404, b"Not Found")
        elif parts.tokens.accepts(token.encode(errors="replace")):
            # A PBX that has the prefix twice must not put the token into the journal.
            await _receive_webhook(scope, receive, send, parts, f"/{path}".replace(token, "…"))
        elif parts.journal.count_wrong_token(peer) > WRONG_TOKENS_PER_MINUTE:
            await _answer_plainly(send, 429, b"Too Many Requests", ((b"retry-after", b"60"),))
        else:
            await _answer_plainly(send, 404, b"Not Found")


class BareHook:
    """The same paths without a token, for addresses that PITWALL_WEBHOOK_ALLOW names."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        parts, peer = parts_in(scope), _peer(scope)
        if is_allowed(peer, parts.settings.webhook_allow):
            await _receive_webhook(scope, receive, send, parts, scope["path"])
        else:
            parts.journal.count_bare(peer)
            await _answer_plainly(send, 404, b"Not Found")


class BareWebhookConvertor(Convertor[str]):
    """Paths of webhooks, in any letter case and with doubled slashes."""

    regex = r"(?i:/*api/+(?:callcenter|agent)/.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


async def _receive_webhook(
    scope: Scope, receive: Receive, send: Send, parts: Parts, path: str
) -> None:
    method, now = scope["method"], parts.clock()
    params: Mapping[str, str] = {}
    body = b""
    if method not in ("GET", "POST"):
        await _answer_plainly(send, 405, b"Method Not Allowed", ((b"allow", b"GET, POST"),))
        return
    try:
        params = parse_query(scope["query_string"])
        if method == "POST":
            body, kind = await _read_body(scope, receive)
            params = merge(params, parse_body(body, kind))
        event = decode(path, params, now=now, zone=parts.settings.timezone)
        reach("parsed")
        seq = await parts.log.append((event,), scope.get("pitwall.request"))
        reach("before answer")
    except WebhookError as error:
        parts.journal.refuse(_peer(scope), path, params, error, body)
        await _refuse(send, error)
    except LogUnavailable:
        parts.journal.count_unstored()
        await _answer(send, 503, {"ok": False, "error": "not stored, send it again", "field": ""})
    except SenderGone:
        return
    else:
        told = params if body else scope["query_string"]
        parts.journal.accept(_peer(scope), path, told, seq, event.flags)
        await _accept(scope, send, b'{"ok":true,"seq":%d}' % seq)


async def _accept(scope: Scope, send: Send, body: bytes) -> None:
    """Say 200, the short way where the server has one (see `app.protocol`)."""
    answer = (scope.get("extensions") or {}).get("pitwall.answer")
    if answer is not None:
        answer(ACCEPTED[len(body)], body)
        return
    await send({"type": "http.response.start", "status": 200, "headers": JSON_HEADERS[len(body)]})
    await send({"type": "http.response.body", "body": body})


async def _read_body(scope: Scope, receive: Receive) -> tuple[bytes, str]:
    """The body and what the sender says that it is."""
    headers = dict(scope["headers"])
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared[:20]) > BODY_BYTES:
        raise BodyTooLarge(TOO_LARGE)
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise SenderGone
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > BODY_BYTES:
            raise BodyTooLarge(TOO_LARGE)
    return body, headers.get(b"content-type", b"").decode("latin-1")


async def _refuse(send: Send, error: WebhookError) -> None:
    status = STATUSES.get(type(error), 422 if error.field else 400)
    await _answer(send, status, {"ok": False, "error": str(error), "field": error.field})


async def _answer(send: Send, status: int, answer: Mapping[str, object]) -> None:
    body = json.dumps(answer).encode()
    headers: Headers = [JSON, (b"content-length", b"%d" % len(body)), *GUARD]
    if status == 503:
        headers.append((b"retry-after", b"5"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _answer_plainly(
    send: Send, status: int, text: bytes, extra: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    headers: Headers = [PLAIN, (b"content-length", b"%d" % len(text)), *GUARD, *extra]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})


def _peer(scope: Scope) -> str:
    client = scope["client"]
    return str(client[0]) if client else ""


register_url_convertor("bare_webhook", BareWebhookConvertor())

TOKEN_HOOK = TokenHook()

# No `methods`: Starlette would answer HEAD as GET, and a link checker would hang up calls.
ROUTES: list[BaseRoute] = [
    Route(HOOK_PREFIX + "{rest:path}", TOKEN_HOOK),
    Route("/{rest:bare_webhook}", BareHook()),
]


class WebhooksFirst(Starlette):
    """Starlette, where webhooks skip middleware and routing: they are many, and need neither."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a webhook here; leave everything else to Starlette."""
        if scope["type"] == "http" and scope["path"].startswith(HOOK_PREFIX):
            scope["path_params"] = {"rest": scope["path"].removeprefix(HOOK_PREFIX)}
            await TOKEN_HOOK(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)
