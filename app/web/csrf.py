"""Other sites can't act in a signed-in person's name: what changes something must be ours.

A browser says where a request comes from (Sec-Fetch-Site, or Origin on plain http), and a page of
another site can't send `HX-Request` without asking first. No tokens are needed then.
"""

import re

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.audit import Deed
from app.masking import without_tokens
from app.sentences import Sentence
from app.web.guard import deny, person_of, said
from app.web.origin import is_ours
from app.web.parts import parts_in

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
# The PBX's requests: they carry no cookie, and none would open anything there.
WEBHOOKS = re.compile(r"/+(hook|api/+(callcenter|agent))/", re.IGNORECASE)
# Plain forms, which work before any script runs.
FORM_PAGES = re.compile(r"/(login|confirm|setup/[A-Za-z0-9_-]+)")
API = "/api/v1/"
NOT_FROM_HERE = Sentence("This request does not come from a page of this board.")
NOT_BY_US = Sentence("This request was not made by a page of this board.")


class CrossSiteGuard:
    """ASGI middleware that refuses such requests with 403."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        why = _why_not(scope) if scope["type"] == "http" else ""
        if not why:
            await self.app(scope, receive, send)
            return
        await _note(scope, why)
        await PlainTextResponse(f"{said(HTTPConnection(scope), why)}\n", 403)(scope, receive, send)


def _why_not(scope: Scope) -> str:
    """Why the request is refused; "" when it is not."""
    path, headers = scope["path"], Headers(scope=scope)
    if scope["method"] in SAFE or WEBHOOKS.match(path) or _is_program(path, headers):
        return ""
    is_form = FORM_PAGES.fullmatch(path) is not None
    if not is_same_site(headers, parts_in(scope).settings.public_url, is_form=is_form):
        return NOT_FROM_HERE
    if not is_form and headers.get("hx-request") != "true":
        return NOT_BY_US
    return ""


def _is_program(path: str, headers: Headers) -> bool:
    return path.startswith(API) and headers.get("authorization", "").lower().startswith("bearer ")


def is_same_site(headers: Headers, public_url: str, *, is_form: bool) -> bool:
    """Whether the browser says that a page of ours sent this.

    Every browser sends one of the two headers with a post. What sends neither is a program, and
    may sign in unless it brings a cookie along.
    """
    sites, origins = headers.getlist("sec-fetch-site"), headers.getlist("origin")
    if sites:
        return all(site == "same-origin" for site in sites) or (is_form and sites == ["none"])
    if origins:
        return is_ours(headers, public_url)
    return is_form and "cookie" not in headers


async def _note(scope: Scope, why: str) -> None:
    """In the audit, when it was tried with somebody's session; strangers could flood it."""
    connection = HTTPConnection(scope)
    person = person_of(connection)
    if person is not None:
        # A link works once; one that was refused here still does.
        tried = without_tokens(f"{scope['method']} {scope['path']}")
        await deny(connection, person, Deed("request of another page", reason=tried), why)
