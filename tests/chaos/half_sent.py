"""T7: hundreds of connections that say nothing, half a head or half a body, and stay."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, cycle

from tests.running import TOKEN
from tests.senders import Answers, pace
from tests.served import request_of

HOOK = f"/hook/{TOKEN}/api/callcenter/hangup"
BEGINNINGS = (
    b"",
    b"GET ",
    f"GET {HOOK}?callid=1 HTTP/1.1\r\nHost: x\r\n".encode(),
    f"POST {HOOK} HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n{{".encode(),
    f"POST {HOOK} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab".encode(),
    b"\r\n\r\n",
)


@dataclass(frozen=True)
class Ended:
    """When the last of them was closed (s), how many were not, and what the PBX heard meanwhile."""

    seconds: float
    still_open: int
    pbx: Answers


async def half_sent(port: int, connections: int, patience_s: float, token: str = TOKEN) -> Ended:
    """So many at once, beside a PBX that sends twenty webhooks a second."""
    began = time.monotonic()
    beginnings = cycle(BEGINNINGS)
    waiting = [_closed(port, next(beginnings), began, patience_s) for _ in range(connections)]
    pbx = asyncio.create_task(pace(port, _calls(token), 20, patience_s / 2, patience_s))
    ended = await asyncio.gather(*waiting)
    return Ended(max(ended), sum(one >= patience_s for one in ended), await pbx)


async def _closed(port: int, beginning: bytes, began: float, patience_s: float) -> float:
    """Seconds until the server closed it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(beginning)
    with contextlib.suppress(TimeoutError, ConnectionResetError):
        async with asyncio.timeout(patience_s):
            await reader.read()
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return time.monotonic() - began


def _calls(token: str) -> Iterator[bytes]:
    for number in count():
        yield request_of("/callcenter/hangup", token, callid=f"beside{number}")
