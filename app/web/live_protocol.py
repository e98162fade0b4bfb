"""uvicorn's WebSocket protocol, with a way to cut off a peer that no longer reads."""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request


class LiveProtocol(WebSocketsSansIOProtocol):
    """Puts `pitwall.abort` into the scope: uvicorn itself can only wait for unsent bytes."""

    def handle_connect(self, event: Request) -> None:
        """The handler's task starts after this returns, so it always sees the extension."""
        super().handle_connect(event)
        scope = getattr(self, "scope", None)
        if scope is not None:
            scope["extensions"]["pitwall.abort"] = self.transport.abort
