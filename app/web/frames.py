"""A text message as the bytes of a WebSocket frame: built once, written to everybody.

Compressed once as well: it refers to nothing that was sent before it, so the same bytes are right
for all connections that can read compressed frames (RFC 7692). What does refer: see `stream`.
"""

import zlib
from collections.abc import Iterable
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
        return deflated_frame(deflater(), self.payload)


@lru_cache(KEPT)
def frame_of(text: str) -> TextFrame:
    """The frame of this text; the same one for all who are sent the same."""
    # Whatever got into a page: no viewer's frame may end the drawing of all.
    return TextFrame(text.encode(errors="replace"))


def deflater() -> "zlib._Compress":
    """What compresses for a connection that agreed to `DEFLATE`."""
    return zlib.compressobj(wbits=-WINDOW_BITS, memLevel=5)


def deflated_frame(deflate: "zlib._Compress", payload: bytes) -> bytes:
    """The payload as a compressed frame that goes on where `deflate` is."""
    body = deflate.compress(payload) + deflate.flush(zlib.Z_SYNC_FLUSH)
    # Every receiver adds these four bytes again.
    body = body.removesuffix(b"\x00\x00\xff\xff")
    return _header(DEFLATED_TEXT, len(body)) + body


def deflating(extensions: Iterable[object]) -> PerMessageDeflate | None:
    """What was agreed on, if a connection with these extensions can read `TextFrame.deflated`."""
    return next(
        (
            one
            for one in extensions
            if isinstance(one, PerMessageDeflate) and one.local_max_window_bits >= WINDOW_BITS
        ),
        None,
    )


def _header(first: int, length: int) -> bytes:
    """A server's frames are not masked."""
    if length < 126:
        return bytes((first, length))
    if length < 65_536:
        return bytes((first, 126)) + length.to_bytes(2, "big")
    return bytes((first, 127)) + length.to_bytes(8, "big")
