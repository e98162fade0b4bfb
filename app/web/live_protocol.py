"""uvicorn's WebSocket protocol, with a way to cut off a peer that no longer reads."""

import socket
import struct

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

# Closing then forgets what was not sent, instead of keeping it in the kernel for minutes.
LINGER_NOT = struct.pack("ii", 1, 0)


class LiveProtocol(WebSocketsSansIOProtocol):
    """Puts `pitwall.abort` into the scope: uvicorn itself can only wait for unsent bytes."""

    def handle_connect(self, event: Request) -> None:
        """The handler's task starts after this returns, so it always sees the extension."""
        super().handle_connect(event)
        scope = getattr(self, "scope", None)
        if scope is not None:
            scope["extensions"]["pitwall.abort"] = self.cut_off

    def cut_off(self) -> None:
        """End the connection now; it may long be over."""
        connection = self.transport.get_extra_info("socket")
        if not self.transport.is_closing() or self.transport.get_write_buffer_size():
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        self.transport.abort()
