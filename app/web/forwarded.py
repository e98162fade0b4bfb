"""Behind a proxy: whose request it is, from X-Forwarded-For, and only from proxies that are named.

The right-most hop that is no proxy of ours is believed; what stands left of it anybody may write.
"""

from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from app.peers import IPNetwork, address_of, is_allowed

HEADER = b"x-forwarded-for"
MOST_HOPS = 32


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
