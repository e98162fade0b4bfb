"""The headers that every answer carries: what browsers must not do, and not keep."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.origin import is_readable_on_the_way
from app.web.parts import parts_if_open

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
ALWAYS = {
    b"content-security-policy": CONTENT_POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": PERMISSIONS.encode(),
    b"cache-control": b"no-store",
}
# A year. Only of this host: what else its domain serves is not ours to decide.
BY_TLS = {**ALWAYS, b"strict-transport-security": b"max-age=31536000"}
# Without TLS a browser sends no Sec-Fetch-Site, and where no referrer is allowed a form's Origin is
# "null": nothing would tell our own sign-in from another site's. It ignores the opener's policy,
# and says so as an error on each page.
IN_THE_OPEN = {**ALWAYS, b"referrer-policy": b"same-origin"}
del IN_THE_OPEN[b"cross-origin-opener-policy"]


class SecurityHeaders:
    """ASGI middleware. A header that the answer already has stays as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A PBX shows no pages: its answers carry what they need, and there are many of them.
        if scope["type"] != "http" or scope["path"].startswith("/hook/"):
            await self.app(scope, receive, send)
            return

        ours = _of_site(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = with_security(message.get("headers", []), ours)
            await send(message)

        await self.app(scope, receive, send_with_headers)


def with_security(headers: list[Header], ours: Mapping[bytes, bytes] = ALWAYS) -> list[Header]:
    """The headers, and those of ours that are not among them."""
    present = {name.lower() for name, _ in headers}
    return [*headers, *(pair for pair in ours.items() if pair[0] not in present)]


def _of_site(scope: Scope) -> Mapping[bytes, bytes]:
    """By how browsers reach the site; where no site is open nobody knows."""
    parts = parts_if_open(scope)
    if parts is None:
        return ALWAYS
    url = parts.settings.public_url
    if url.startswith("https:"):
        return BY_TLS
    return IN_THE_OPEN if is_readable_on_the_way(url) else ALWAYS
