"""Whom the board serves where the way to it can be read: machines, and people only if allowed.

On plain http to another machine, whoever shares the network reads passwords, sessions and callers'
numbers. A webhook is taken all the same: the PBX would not send it again.
"""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.sentences import Sentence
from app.web.csrf import API, WEBHOOKS
from app.web.origin import is_readable_on_the_way
from app.web.pages import render
from app.web.parts import parts_if_open

FOR_MACHINES = (API, "/health/", "/metrics", "/static/")
UNENCRYPTED = Sentence(
    "This board is served without encryption: whoever shares the network could read passwords and "
    "callers' numbers, so nobody can sign in. Put a TLS proxy before it and set PITWALL_PUBLIC_URL "
    "to its https address; or, in a network that you trust, set PITWALL_ALLOW_INSECURE_LAN=yes. "
    "Webhooks are taken meanwhile."
)


class EncryptedOnly:
    """ASGI middleware that refuses pages and sockets with 403."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_refused(scope):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            # A board that was open before asks whether it still is somebody's; then it looks anew.
            status = 401 if scope["path"].endswith("/alive") else 403
            page = render(Request(scope), "refused.html", status, sentence=UNENCRYPTED)
            await page(scope, receive, send)


def _is_refused(scope: Scope) -> bool:
    if scope["type"] not in {"http", "websocket"}:
        return False
    path, parts = scope["path"], parts_if_open(scope)
    if parts is None or path.startswith(FOR_MACHINES) or WEBHOOKS.match(path):
        return False
    settings = parts.settings
    return is_readable_on_the_way(settings.public_url) and not settings.allow_insecure_lan
