"""The short way for what a page says: a whole, small text message, read without a queue.

Anything else (fragments, pings, closes, long or broken messages) goes the long way, through the
protocol's own parser.
"""

import zlib
from functools import lru_cache

TEXT, DEFLATED_TEXT = 0x81, 0xC1
MASKED = 0x80
SMALL = 125
MASK_AT, TEXT_AT = 2, 6
LONGEST = 64
# Every page says the same few numbers.
KEPT = 256


def small_text(data: bytes, *, inflates: bool) -> str | None:
    """The text, if `data` is exactly one small text message of a client."""
    if len(data) < TEXT_AT or data[0] not in (TEXT, DEFLATED_TEXT):
        return None
    length = data[1] - MASKED
    if not 0 <= length <= SMALL or len(data) != TEXT_AT + length:
        return None
    said = _unmasked(data[MASK_AT:TEXT_AT], data[TEXT_AT:])
    if data[0] == DEFLATED_TEXT:
        return _inflated(said) if inflates else None
    return said.decode() if said.isascii() else None


def ends_whole(data: bytes) -> bool:
    """Whether `data`, which begins with a frame, also ends with one."""
    at = 0
    while at < len(data):
        head = data[at : at + 14]
        if len(head) < 2:
            return False
        length, start = head[1] & 0x7F, 2
        if length > SMALL:
            start = 4 if length == 126 else 10
            length = int.from_bytes(head[2:start], "big")
        at += start + (4 if head[1] & MASKED else 0) + length
    return at == len(data)


def _unmasked(mask: bytes, payload: bytes) -> bytes:
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")


@lru_cache(KEPT)
def _inflated(payload: bytes) -> str | None:
    """None for what is broken, no ASCII or longer than anything a page has to say."""
    try:
        said = zlib.decompressobj(-15).decompress(payload + b"\x00\x00\xff\xff", LONGEST + 1)
    except zlib.error:
        return None
    return said.decode() if said.isascii() and len(said) <= LONGEST else None
