"""Pitwall itself, or only a part of it, as a process that says when it is ready.

`python -m bench.pitwall whole|receiver|empty`, with settings in the environment as always. Of the
whole application it also says the cookies of signed-in viewers: a board is not for strangers.
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import SimpleNamespace
from typing import Any

import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.database import Database
from app.log.open import database_path, open_log
from app.main import wall_clock
from app.protocol import server_config
from app.rights import Role
from app.server import serve
from app.settings import Settings
from app.tuning import tune_process
from app.web import hooks
from app.web.parts import Parts
from app.webhook_journal import WebhookJournal
from app.webhook_tokens import WebhookTokens
from bench.processes import say
from bench.serving import started

# So many boards may one person have open.
BOARDS_EACH = 10


async def greet(parts: Parts) -> None:
    """Sign viewers in and say that all is ready."""
    wanted = int(os.environ.get("PITWALL_TEST_VIEWERS", "0"))
    cookies: list[str] = []
    while len(cookies) * BOARDS_EACH < wanted:
        name = f"supervisor{len(cookies)}"
        user = await parts.access.accounts.create_user(name, Role.SUPERVISOR)
        secret = await parts.access.sessions.open(user.user_id, "127.0.0.1", "bench")
        cookies.append(f"sid={secret}")
    say(cookies=cookies, applied=parts.projector.applied)


async def empty(request: Request) -> Response:
    """What any Starlette application does at least for a request."""
    return Response(status_code=204)


def receiver(settings: Settings) -> Starlette:
    """The hook, the log and its journal: what must happen before a webhook is answered."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Any]]:
        async with AsyncExitStack() as stack:
            database = await Database.open(database_path(settings.log))
            stack.push_async_callback(database.close)
            log = await open_log(settings.log, database, wall_clock)
            stack.push_async_callback(log.close)
            journal = await WebhookJournal.open(database, wall_clock)
            tokens = await WebhookTokens.open(database, wall_clock, settings.webhook_token)
            yield {
                "parts": SimpleNamespace(
                    log=log, journal=journal, tokens=tokens, settings=settings, clock=wall_clock
                )
            }

    return hooks.WebhooksFirst(routes=hooks.ROUTES, lifespan=lifespan)


async def serve_part(app: Starlette, settings: Settings) -> None:
    """As the whole application is served, down to when garbage is looked for."""
    tune_process()
    config = server_config(app, host=settings.host, port=settings.port)
    _, running = await started(config)
    say(ready=True)
    await running


def main(part: str) -> None:
    settings = Settings.from_env(os.environ)
    if part == "whole":
        sys.exit(serve(settings, greet))
    elif part == "receiver":
        uvloop.run(serve_part(receiver(settings), settings))
    else:
        uvloop.run(serve_part(Starlette(routes=[Route("/{rest:path}", empty)]), settings))


if __name__ == "__main__":
    main(sys.argv[1])
