"""Runs the application under uvicorn until told to stop, or until one of its loops has died."""

import logging
import os
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.clock import SteadyClock
from app.leaving import LeavingServer
from app.log.address import SCHEME
from app.log_format import formatter_of
from app.main import create_app, create_sites_app
from app.pbx.redaction import install_redaction
from app.pbx.secret import Secret
from app.protocol import BACKLOG, BOARDS_PER_S, server_config
from app.service_manager import inherited_socket, tell
from app.settings import MAIN, Settings
from app.sites.lines import OfASite
from app.tuning import allow_connections, tune_process
from app.unparsable import Unparsable
from app.web.forwarded import ClientAddress
from app.web.live_protocol import LiveProtocol
from app.web.parts import Parts

FAILED = 1
# A viewer that reads nothing may hold this much in the kernel, and for this long.
SEND_BUFFER = 64 * 1024
USER_TIMEOUT_MS = 20_000


class AddressInUse(Exception):
    """The address can't be listened on; the sentence says which and what to do."""


def listen(host: str, port: int, *, at_once: bool = True) -> socket.socket:
    """The listening socket, bound before anything else is opened. Raises AddressInUse.

    One that the service manager holds for us is taken instead: `host` and `port` are then its.
    It holds connections until they are answered; if not `at_once` it refuses them until uvicorn is
    ready, so that a balancer turns to another node meanwhile.
    """
    listening = inherited_socket() or _bound(host, port, at_once=at_once)
    # Accepted connections inherit both.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
    return listening


def _bound(host: str, port: int, *, at_once: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        if at_once:
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
    listening = listen(settings.host, settings.port, at_once=not settings.log.startswith(SCHEME))
    writing = logging.StreamHandler()
    writing.addFilter(OfASite())
    writing.setFormatter(formatter_of(settings.log_format))
    logging.basicConfig(level=logging.INFO, handlers=[writing])
    tune_process()
    allow_connections()
    run = Run(settings, greeting or greet)
    app = run.app_of_sites() if settings.sites else run.app_of_one()
    addressed = ClientAddress(app, settings.trusted_proxy) if settings.trusted_proxy else app
    served = PlainRefusals(addressed, run.refusals)
    count = run.unparsable.add
    config = server_config(served, count, boards_per_s(), ws=LiveProtocol, log_config=None)
    run.server = server = LeavingServer(config)
    server.run([listening])
    return FAILED if run.has_died or not server.started else 0


class Run:
    """One run of the server: what it serves, and why it failed or ended."""

    def __init__(self, settings: Settings, greeting: Greeting) -> None:
        self.refusals: list[str] = []
        self.has_died = False
        self.server: LeavingServer | None = None
        self._settings = settings
        self._greeting = greeting
        self._clock = SteadyClock()
        self._redacted: set[str] = set()
        self.unparsable = Unparsable(self._clock)

    def app_of_one(self) -> ASGIApp:
        """The one site of a plain installation."""
        self._redact([self._settings])

        async def on_start(parts: Parts) -> None:
            await self._greeting(parts)
            tell("READY=1")

        return create_app(
            self._settings,
            self._clock,
            on_start=on_start,
            on_death=self._end,
            on_refusal=self.refusals.append,
            unparsable=self.unparsable,
        )

    def app_of_sites(self) -> ASGIApp:
        """All sites. Requests that nobody could read have no host, so no site hears of them."""
        return create_sites_app(
            self._settings,
            self._clock,
            on_open=self._greeting,
            on_start=lambda sites: tell("READY=1"),
            on_read=self._redact,
            on_death=self._end,
            on_refusal=self.refusals.append,
        )

    def _end(self) -> None:
        self.has_died = True
        if self.server is not None:
            # What no longer lives must not look alive.
            self.server.leave_s = 0.0
            self.server.should_exit = True

    def _redact(self, sites: Iterable[Settings]) -> None:
        new = {text for settings in sites for text in settings.secrets} - self._redacted
        if new:
            install_redaction(Secret(text) for text in new)
            self._redacted |= new


def boards_per_s() -> float:
    """How many boards may open in a second; a benchmark of something else opens all of its own."""
    return float(os.environ.get("PITWALL_TEST_BOARDS_PER_S", BOARDS_PER_S))


async def greet(parts: Parts) -> None:
    """Say where the board is and, as long as they are needed, the two secret addresses."""
    url, site = parts.settings.public_url, parts.settings.site
    words = [f"{'Pitwall' if site == MAIN else f'Site {site}'} is at {url}"]
    if parts.tokens.made:
        words += [
            "Give this address to the PBX as its CRM URL; it holds a secret, shown only now:",
            f"  {url}/hook/{parts.tokens.made}",
        ]
    if secret := await parts.access.links.for_the_first():
        words += [
            "Nobody administers it yet. Open this link once, within a day, and choose a password:",
            f"  {url}/setup/{secret}",
        ]
    # At once: other sites greet at the same time.
    print("\n".join(words), flush=True)
