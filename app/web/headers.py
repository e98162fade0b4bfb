"""The headers that every answer carries: what browsers must not do, and not keep."""

from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Header = tuple[bytes, bytes]

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self';"
    " connect-src 'self'; media-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in ("camera", "microphone", "geolocation", "payment", "usb", "display-capture")
)
ALWAYS = [
    (b"content-security-policy", CONTENT_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", PERMISSIONS.encode()),
]
NO_STORE = (b"cache-control", b"no-store")
# A year. Only of this host: what else its domain serves is not ours to decide.
ONLY_TLS = (b"strict-transport-security", b"max-age=31536000")


class SecurityHeaders:
    """ASGI middleware. A header that the answer already has stays as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A PBX shows no pages: its answers carry what they need, and there are many of them.
        if scope["type"] != "http" or scope["path"].startswith("/hook/"):
            await self.app(scope, receive, send)
            return

        more = [ONLY_TLS] if _is_https(scope) else []

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = with_security(message.get("headers", []), more)
            await send(message)

        await self.app(scope, receive, send_with_headers)


def with_security(headers: list[Header], more: Sequence[Header] = ()) -> list[Header]:
    """The headers, and those of ours that are not among them."""
    present = {name.lower() for name, _ in headers}
    return [*headers, *(pair for pair in (*ALWAYS, NO_STORE, *more) if pair[0] not in present)]


def _is_https(scope: Scope) -> bool:
    """Browsers reach the site by TLS; where no site is open nobody knows."""
    parts = scope.get("state", {}).get("parts")
    return parts is not None and parts.settings.public_url.startswith("https:")
