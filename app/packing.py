"""Kept floors as bytes: JSON, compressed beside the loop.

SQLite holds on to the last value of each statement that it keeps prepared, and a floor's JSON has
ten megabytes and more. What was kept before floors were compressed is read all the same.
"""

import asyncio
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import msgspec

T = TypeVar("T")

PLAIN = b"{"
# The fastest: a quarter of the size or less, in less time than it takes to write the rest to disk.
LEVEL = 1
# The board waits for this. The threads that all share may be busy for minutes: backups, checks.
BESIDE = ThreadPoolExecutor(1, thread_name_prefix="packing")


async def packed(value: object) -> bytes:
    """The value as it is at this call, however it changes before this returns."""
    text = msgspec.json.encode(value)
    return await asyncio.get_running_loop().run_in_executor(BESIDE, compressed, text)


def unpacked(body: bytes, kind: type[T]) -> T | None:
    """None where it can't be read (any more)."""
    try:
        return msgspec.json.decode(text_of(body), type=kind)
    except (zlib.error, msgspec.DecodeError):
        return None


def compressed(text: bytes) -> bytes:
    """What `text_of` reads."""
    return zlib.compress(text, LEVEL)


def text_of(body: bytes) -> bytes:
    """The JSON. Raises zlib.error."""
    return body if body.startswith(PLAIN) else zlib.decompress(body)
