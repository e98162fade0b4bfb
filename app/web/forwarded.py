"""Behind a proxy: whose request it is and which, told only by proxies that are named.

Of X-Forwarded-For the right-most hop that is no proxy of ours is believed; what stands left of it
anybody may write. X-Pitwall-Request is the same when a proxy sends one webhook a second time, to
another node: it is stored once. The name is our own, because a PBX might send an X-Request-ID that
is always the same, and lose its webhooks by it.
"""

from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from app.peers import IPNetwork, address_of, is_allowed

HEADER = b"x-forwarded-for"
REQUEST = b"x-pitwall-request"
MOST_HOPS = 32
MOST_LETTERS = 64


class ClientAddress:
    """Puts the client's address into the scope, where every handler looks for it."""

    def __init__(self, app: ASGIApp, proxies: Sequence[IPNetwork]) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and scope.get("client"):
            peer, port = scope["client"]
            if is_allowed(peer, self._proxies):
                scope["client"] = (self._behind(peer, scope["headers"]), port)
                scope["pitwall.request"] = _named(scope["headers"])
        await self._app(scope, receive, send)

    def _behind(self, peer: str, headers: Sequence[tuple[bytes, bytes]]) -> str:
        """The nearest hop that is no proxy; as far as the chain can be read."""
        told = b",".join(value for name, value in headers if name == HEADER)
        nearest = peer
        for hop in reversed(told.decode("latin-1").split(",")[-MOST_HOPS:]):
            address = address_of(hop.strip())
            if address is None:
                break
            nearest = str(address)
            if not is_allowed(nearest, self._proxies):
                break
        return nearest


def _named(headers: Sequence[tuple[bytes, bytes]]) -> str | None:
    """What the proxy calls this request; None where it gave no name, or none that can be one."""
    names = [value.decode("latin-1") for name, value in headers if name == REQUEST]
    if len(names) != 1 or not names[0].isascii() or not names[0].isalnum():
        return None
    return names[0][:MOST_LETTERS]
