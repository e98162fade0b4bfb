"""R13: viewers that read nothing, trickle, or are gone without a word, beside good ones.

What they may cost: nothing that the good ones or the PBX notice, little memory, and not for long.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.chaos.crowd import (
    BOARDS_EACH,
    Crowd,
    descriptors,
    forget_peak,
    peak_mebibytes,
    resident_mebibytes,
    settles,
    sign_in,
    sockets,
)
from tests.chaos.exchange import changes, fill
from tests.chaos.half_open import Vanishing, vanishing
from tests.live_viewer import READS_NOTHING, Trickle, Viewer, look
from tests.running import Pitwall
from tests.senders import quantile


@dataclass(frozen=True)
class Harm:
    """Seconds and mebibytes, without and with hostile viewers; `left` is what they leave behind.

    `evicted_s`: from when the last of them came until the last of them is gone.
    `half_open`: how those were made that are gone without a word.
    """

    alone_p99_s: float
    beside_p99_s: float
    alone_ack_p99_s: float
    beside_ack_p99_s: float
    evicted_s: float
    grown_mebibytes: float
    left_mebibytes: float
    left_descriptors: int
    good_lost: int
    half_open: str


def harm_done(folder: Path, port: int, good: int, bad: int, seconds: float) -> Harm:
    """`good` viewers alone for some seconds, then with `bad` of each hostile kind beside them."""
    cookies = sign_in(folder, good + 3 * (bad + BOARDS_EACH))
    # The half-open ones come from another network.
    host = "0.0.0.0"  # noqa: S104 nobody else knows of it
    pitwall = Pitwall(port, folder, HOST=host, PITWALL_PUBLIC_URL=f"http://127.0.0.1:{port}")
    pitwall.start()
    try:
        return asyncio.run(_harm_done(pitwall, port, cookies, good, bad, seconds))
    finally:
        pitwall.stop()


async def _harm_done(
    pitwall: Pitwall, port: int, cookies: list[str], good: int, bad: int, seconds: float
) -> Harm:
    await fill(port)
    crowd = Crowd(port, cookies)
    await crowd.open(good)
    await changes(port, 2.0)
    crowd.delays.clear()
    alone = await changes(port, seconds)
    alone_delays, memory, fds = crowd.delays, resident_mebibytes(pitwall), descriptors(pitwall)
    connected = sockets(pitwall)
    crowd.delays, trickling = [], list["asyncio.Task[None]"]()
    forget_peak(pitwall)
    async with vanishing(port) as half_open:
        theirs = cookies[good // BOARDS_EACH + 1 :]
        hostile = await _hostile(port, half_open, theirs, bad, trickling)
        began = time.monotonic()
        beside = await changes(port, seconds)
        await settles(lambda: sockets(pitwall), connected, 70)
        evicted = time.monotonic() - began
        grown = peak_mebibytes(pitwall) - memory
        for viewer in hostile:
            viewer.transport.abort()
    await asyncio.gather(*trickling)
    lost = sum(not viewer.is_open for viewer in crowd.viewers)
    left_descriptors = descriptors(pitwall) - fds
    crowd.close()
    return Harm(
        quantile(alone_delays, 0.99),
        quantile(crowd.delays, 0.99),
        alone.p99(),
        beside.p99(),
        evicted,
        grown,
        resident_mebibytes(pitwall) - memory,
        left_descriptors,
        lost,
        half_open.how,
    )


async def _hostile(
    port: int,
    half_open: Vanishing,
    cookies: list[str],
    each: int,
    trickling: list["asyncio.Task[None]"],
) -> list[Viewer]:
    found: list[Viewer] = []
    for number in range(each):
        cookie = cookies[number // 3 % len(cookies)]
        reads_nothing = partial(look, port, cookie, READS_NOTHING)
        found.append(await _let_in(reads_nothing))
        found.append(await _let_in(reads_nothing))
        trickling.append(asyncio.create_task(Trickle(found[-1], 100).run()))
        found.append(await _let_in(partial(half_open.look, cookie)))
        await found[-1].whole
    half_open.vanish()
    return found


async def _let_in(opens: Callable[[], Awaitable[Viewer]]) -> Viewer:
    """So many a second may come in: none of them may be missing."""
    while (viewer := await opens()).status != 101:
        assert viewer.status == 503, viewer.head
        await asyncio.sleep(0.1)
    return viewer
