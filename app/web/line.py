"""The short way to one page: all that a frame passes through for each of thousands of viewers.

It has slots, and so has who uses it: what costs here is less what is done than that nothing of it
is in the processor's cache when the next frame comes.
"""

import asyncio
import socket
import struct
from collections.abc import Callable

# Closing then forgets what was not sent, instead of keeping it in the kernel for minutes.
LINGER_NOT = struct.pack("ii", 1, 0)


class Line:
    """Writes to a connection past the protocol that reads it; `hear` is told each small text.

    `deflates`: the page can read compressed frames; `remembers`: also ones that refer to earlier
    frames.
    """

    __slots__ = ("_transport", "deflates", "hear", "remembers")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.hear: Callable[[str], None] | None = None
        self.deflates = self.remembers = False

    def show(self, frame: bytes) -> None:
        """Send a frame as it is; what is over already gets nothing."""
        if not self._transport.is_closing():
            self._transport.write(frame)

    def cut_off(self) -> None:
        """End the connection now; it may long be over."""
        connection = self._transport.get_extra_info("socket")
        if not self._transport.is_closing() or self._transport.get_write_buffer_size():
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        self._transport.abort()
