"""Runs the application under uvicorn until told to stop, or until one of its loops has died."""

import gc
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Sequence

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.clock import SteadyClock
from app.main import create_app
from app.masking import MaskingFormatter
from app.pbx.redaction import install_redaction
from app.pbx.secret import Secret
from app.peers import PeerCounts
from app.protocol import BACKLOG, BOARDS_PER_S, server_config
from app.service_manager import inherited_socket, tell
from app.settings import Settings
from app.web.forwarded import ClientAddress
from app.web.live_protocol import LiveProtocol
from app.web.parts import Parts

FAILED = 1
# A viewer that reads nothing may hold this much in the kernel, and for this long.
SEND_BUFFER = 64 * 1024
USER_TIMEOUT_MS = 20_000


class AddressInUse(Exception):
    """The address can't be listened on; the sentence says which and what to do."""


def listen(host: str, port: int) -> socket.socket:
    """The listening socket, bound before anything else is opened. Raises AddressInUse.

    One that the service manager holds for us is taken instead: `host` and `port` are then its.
    """
    listening = inherited_socket() or _bound(host, port)
    # Accepted connections inherit both.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
    return listening


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise AddressInUse(
            f"Pitwall can't listen on {host} port {port}: {error.strerror}. "
            "Stop what uses the port, or set HOST and PORT."
        ) from None
    return listening


class PlainRefusals:
    """Says why the start failed in the sentence that `refusals` holds, not in a traceback."""

    def __init__(self, app: ASGIApp, refusals: Sequence[str]) -> None:
        self._app = app
        self._refusals = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_plainly(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed" and self._refusals:
                message = {**message, "message": self._refusals[0]}
            await send(message)

        await self._app(scope, receive, send_plainly if scope["type"] == "lifespan" else send)


Greeting = Callable[[Parts], Awaitable[None]]


def serve(settings: Settings, greeting: Greeting | None = None) -> int:
    """Serve until SIGTERM or SIGINT; the exit code is 0 only for an orderly end."""
    listening = listen(settings.host, settings.port)
    writing = logging.StreamHandler()
    writing.setFormatter(MaskingFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[writing])
    tune_collector()
    secrets = (settings.pbx_key, settings.webhook_token, settings.api_token)
    install_redaction(Secret(text) for text in secrets if text)
    died: list[bool] = []
    refusals: list[str] = []

    def on_death() -> None:
        died.append(True)
        server.should_exit = True

    clock = SteadyClock()
    unparsable = PeerCounts(clock)
    greeting = greeting or greet

    async def on_start(parts: Parts) -> None:
        await greeting(parts)
        tell("READY=1")

    app = create_app(
        settings,
        clock,
        on_start=on_start,
        on_death=on_death,
        on_refusal=refusals.append,
        unparsable=unparsable,
    )
    addressed = ClientAddress(app, settings.trusted_proxy) if settings.trusted_proxy else app
    served = PlainRefusals(addressed, refusals)
    config = server_config(served, unparsable.add, boards_per_s(), ws=LiveProtocol, log_config=None)
    server = uvicorn.Server(config)
    server.run([listening])
    return FAILED if died or not server.started else 0


def tune_collector() -> None:
    """Look for garbage less often than Python would.

    A floor is many small objects that live long and seldom form cycles; going through them all
    after every few thousand new ones took a sixth of a start and held frames up.
    """
    gc.set_threshold(20_000, 20, 50)


def boards_per_s() -> float:
    """How many boards may open in a second; a benchmark of something else opens all of its own."""
    return float(os.environ.get("PITWALL_TEST_BOARDS_PER_S", BOARDS_PER_S))


async def greet(parts: Parts) -> None:
    """Say where the board is and, as long as they are needed, the two secret addresses."""
    url = parts.settings.public_url
    print(f"Pitwall is at {url}", flush=True)
    if parts.tokens.made:
        print(
            "Give this address to the PBX as its CRM URL; it holds a secret, shown only now:\n"
            f"  {url}/hook/{parts.tokens.made}",
            flush=True,
        )
    if secret := await parts.access.links.for_the_first():
        print(
            "Nobody administers it yet. Open this link once, within a day, and choose a password:\n"
            f"  {url}/setup/{secret}",
            flush=True,
        )
