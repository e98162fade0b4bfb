"""Pitwall as talkative as can be, with a page that breaks: `python -m tests.loud_server`."""

import asyncio
import logging
import os
import sys

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import main as application
from app.server import greet, serve
from app.settings import Settings
from app.web.parts import Parts


async def broken(request: Request) -> Response:
    """A fault as any page may have one: it says what it was about."""
    raise RuntimeError(f"{request.method} {request.url} broke")


async def greet_and_tell_everything(parts: Parts) -> None:
    """From the first request on every library says all that it can."""
    await greet(parts)
    for name in ("", "uvicorn", "uvicorn.error", "uvicorn.asgi"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)


if __name__ == "__main__":
    application.ROUTES.append(Route("/broken/{rest:path}", broken))
    sys.exit(serve(Settings.from_env(os.environ), greet_and_tell_everything))
