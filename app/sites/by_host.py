"""Leads each request to the site of its Host, and to no other: whoever else's it names is unknown.

Only Host counts. What a proxy was asked for (X-Forwarded-Host) anybody may write.
"""

import asyncio
import logging
import re
import time
from contextlib import suppress
from functools import lru_cache

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from app.sites import Sites
from app.sites.keeper import Keeper
from app.sites.lines import SITE
from app.web.api import json_response
from app.web.headers import with_security
from app.web.health import why_not_ready
from app.web.hooks import HOOK_PREFIX
from app.web.parts import Parts

HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]*[a-z0-9_-])\.?)(?::[0-9]{0,5})?")
LONGEST = 300
READING = frozenset({"GET", "HEAD"})
COME_BACK = 1012

UNKNOWN = (
    "There is no board at this address.\n"
    "Check the name in the address, or ask whoever runs Pitwall which one is yours.\n"
)
CLOSED = (
    "This board is closed at the moment: something in it broke, or it is being opened.\n"
    "It opens again by itself. If it stays closed, tell whoever runs it: the log says why.\n"
)
STRAYS = (
    "%d webhooks came to a host that no site has; the last one's was %s. The PBX must use the host "
    "of the site's PITWALL_PUBLIC_URL."
)
NOTED_EVERY_S = 60.0
RETRY = {"retry-after": "5"}

logger = logging.getLogger(__name__)


class ByHost:
    """ASGI: `app` in front of all `sites`."""

    def __init__(self, app: ASGIApp, sites: Sites) -> None:
        self._app = app
        self._sites = sites
        self._strays = 0
        self._next_note = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["path"] == "/health/live" and scope.get("method") in READING:
            await json_response({"ok": True})(scope, receive, send)
        elif site := self._sites.at(host_in(scope)):
            await self._visit(site, scope, receive, send)
        elif scope["path"] == "/health/ready" and scope.get("method") in READING:
            ready = all(_is_ready(site.parts) for site in self._sites.all if site.is_held)
            await json_response({"ok": ready}, 200 if ready else 503)(scope, receive, send)
        else:
            if scope["path"].startswith(HOOK_PREFIX):
                self._note_stray(host_in(scope))
            await _turn_away(404, UNKNOWN, scope, receive, send)

    def _note_stray(self, host: str) -> None:
        """An exchange that was given a wrong address is seen by nobody else."""
        self._strays += 1
        now = time.monotonic()
        if now >= self._next_note:
            self._next_note = now + NOTED_EVERY_S
            logger.warning(STRAYS, self._strays, host or "none")
            self._strays = 0

    async def _visit(self, site: Keeper, scope: Scope, receive: Receive, send: Send) -> None:
        parts = site.parts or await site.for_a_visit()
        task = asyncio.current_task()
        if parts is None or task is None:
            await _turn_away(503, CLOSED, scope, receive, send)
            return
        SITE.set(parts.settings.site)
        # A new state: nothing that was there before is anybody's.
        scope["state"] = {"parts": parts}
        site.visits.add(task)
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            if site.parts is parts:
                raise
            task.uncancel()
            await _end(scope, receive, send)
        finally:
            site.visits.discard(task)
            site.left()


def host_in(scope: Scope) -> str:
    """The host in small letters, without port and last dot; "" for none, several, or nonsense."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return _plain(hosts[0]) if len(hosts) == 1 else ""


@lru_cache(maxsize=4096)
def _plain(host: bytes) -> str:
    found = HOST.fullmatch(host.decode("latin-1").lower()) if len(host) <= LONGEST else None
    return (found[1] or found[2]) if found else ""


def _is_ready(parts: Parts | None) -> bool:
    return parts is not None and not why_not_ready(parts)


async def _turn_away(status: int, words: str, scope: Scope, receive: Receive, send: Send) -> None:
    answer = PlainTextResponse(words, status, RETRY if status == 503 else None)
    answer.raw_headers = with_security(answer.raw_headers)
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).send_denial_response(answer)
    else:
        await answer(scope, receive, send)


async def _end(scope: Scope, receive: Receive, send: Send) -> None:
    """Of what was cut off: a socket is closed, a request answered if it was not yet."""
    with suppress(RuntimeError, OSError):
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": COME_BACK})
        else:
            await _turn_away(503, CLOSED, scope, receive, send)
