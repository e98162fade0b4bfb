"""A text message as the bytes of a WebSocket frame: built once, written to everybody.

Compressed once as well: each connection has agreed that the server forgets its window after every
message (RFC 7692, server_no_context_takeover), so the same bytes are right for all of them.
"""

import zlib
from dataclasses import dataclass
from functools import cached_property, lru_cache

from websockets.extensions.permessage_deflate import (
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)

TEXT, DEFLATED_TEXT = 0x81, 0xC1
WINDOW_BITS = 12
# Below this there is nothing to win.
WORTH_DEFLATING = 128
# Boards of several audiences and versions that are under way at one moment.
KEPT = 8
DEFLATE = ServerPerMessageDeflateFactory(
    server_no_context_takeover=True,
    client_no_context_takeover=True,
    server_max_window_bits=WINDOW_BITS,
    client_max_window_bits=WINDOW_BITS,
)


@dataclass(frozen=True)
class TextFrame:
    """One message. Both forms are made when first needed."""

    payload: bytes

    @cached_property
    def plain(self) -> bytes:
        """For a connection without compression."""
        return _header(TEXT, len(self.payload)) + self.payload

    @cached_property
    def deflated(self) -> bytes:
        """For a connection that agreed to `DEFLATE`."""
        if len(self.payload) < WORTH_DEFLATING:
            return self.plain
        deflate = zlib.compressobj(wbits=-WINDOW_BITS, memLevel=5)
        body = deflate.compress(self.payload) + deflate.flush(zlib.Z_SYNC_FLUSH)
        # Every receiver adds these four bytes again.
        body = body.removesuffix(b"\x00\x00\xff\xff")
        return _header(DEFLATED_TEXT, len(body)) + body


@lru_cache(KEPT)
def frame_of(text: str) -> TextFrame:
    """The frame of this text; the same one for all who are sent the same."""
    # Whatever got into a page: no viewer's frame may end the drawing of all.
    return TextFrame(text.encode(errors="replace"))


def takes_deflated(extensions: list[object]) -> bool:
    """Whether a connection with these extensions can read `TextFrame.deflated`."""
    return any(
        isinstance(one, PerMessageDeflate)
        and one.local_no_context_takeover
        and one.local_max_window_bits >= WINDOW_BITS
        for one in extensions
    )


def _header(first: int, length: int) -> bytes:
    """A server's frames are not masked."""
    if length < 126:
        return bytes((first, length))
    if length < 65_536:
        return bytes((first, 126)) + length.to_bytes(2, "big")
    return bytes((first, 127)) + length.to_bytes(8, "big")
