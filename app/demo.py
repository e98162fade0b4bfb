"""Everything at once on loopback: the board, and a simulated exchange that feeds it."""

import secrets
import signal
import subprocess
import sys
from dataclasses import replace

from app.rights import Role
from app.server import serve
from app.settings import Settings
from app.web.parts import Parts

PBX_PORT_OFFSET = 90
PBX_KEY = "demo-key"


def demo(settings: Settings, *, agents: int, speed: float) -> int:
    """Run until interrupted. The demo keeps nothing: its log is in memory unless one is set."""
    token = settings.webhook_token or secrets.token_urlsafe(24)
    pbx_port = settings.port + PBX_PORT_OFFSET
    pbx_url = f"http://127.0.0.1:{pbx_port}"
    settings = replace(
        settings,
        log="memory:",
        sites="",
        webhook_token=token,
        pbx_url=pbx_url,
        pbx_data_url=pbx_url,
        pbx_domain="demo.example",
        pbx_key=PBX_KEY,
    )
    target = f"http://127.0.0.1:{settings.port}/hook/{token}"
    options = {
        "--target": target,
        "--agents": agents,
        "--speed": speed,
        "--port": pbx_port,
        "--key": PBX_KEY,
    }
    words = [str(word) for pair in options.items() for word in pair]
    # The server ends by the signal it was sent; the exchange must be ended before that.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    exchange = subprocess.Popen([sys.executable, "-m", "app.simulator", *words])  # noqa: S603 - our own program
    try:
        return serve(settings, greet)
    finally:
        exchange.terminate()
        exchange.wait(timeout=10)


async def greet(parts: Parts) -> None:
    """Make the demo's three accounts and say how to sign in; they are gone when it stops."""
    password = "-".join(secrets.token_hex(2) for _ in range(4))
    for role, extension in ((Role.ADMIN, "900"), (Role.SUPERVISOR, "910"), (Role.VIEWER, "")):
        await parts.access.accounts.create_user(role.value, role, password, extension=extension)
    print(
        f"The demo is at {parts.settings.public_url} — stop it with Ctrl-C.\n"
        f"Sign in as admin, supervisor or viewer; the password is {password}",
        flush=True,
    )
