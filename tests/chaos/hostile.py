"""R13: viewers that read nothing, trickle, or are gone without a word, beside good ones.

What they may cost: nothing that the good ones or the PBX notice, little memory, and not for long.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.crowd import BOARDS_EACH, Crowd, descriptors, resident_mebibytes, settles, sign_in
from tests.chaos.exchange import changes, fill
from tests.live_viewer import READS_NOTHING, Deaf, Trickle, Viewer, look
from tests.running import Pitwall
from tests.senders import quantile


@dataclass(frozen=True)
class Harm:
    """Seconds and mebibytes, without and with hostile viewers."""

    alone_p99_s: float
    beside_p99_s: float
    alone_ack_p99_s: float
    beside_ack_p99_s: float
    evicted_s: float
    grown_mebibytes: float
    left_descriptors: int
    good_lost: int


def harm_done(folder: Path, port: int, good: int, bad: int, seconds: float) -> Harm:
    """`good` viewers alone for some seconds, then with `bad` of each hostile kind beside them."""
    cookies = sign_in(folder, good + 3 * (bad + BOARDS_EACH))
    pitwall = Pitwall(port, folder)
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
    crowd.delays, trickling = [], list["asyncio.Task[None]"]()
    async with Deaf(port) as proxy:
        theirs = cookies[good // BOARDS_EACH + 1 :]
        hostile = await _hostile(port, proxy, theirs, bad, trickling)
        beside = await changes(port, seconds)
        grown = resident_mebibytes(pitwall) - memory
        # The proxy stands between: its own descriptors are not the server's.
        evicted = await settles(lambda: descriptors(pitwall), fds + 3, 70)
        for viewer in hostile:
            viewer.transport.abort()
        proxy.hears.set()
    await asyncio.gather(*trickling)
    lost = sum(not viewer.is_open for viewer in crowd.viewers)
    crowd.close()
    return Harm(
        quantile(alone_delays, 0.99),
        quantile(crowd.delays, 0.99),
        alone.p99(),
        beside.p99(),
        seconds + evicted,
        grown,
        descriptors(pitwall) - fds,
        lost,
    )


async def _hostile(
    port: int, proxy: Deaf, cookies: list[str], each: int, trickling: list["asyncio.Task[None]"]
) -> list[Viewer]:
    found: list[Viewer] = []
    for number in range(each):
        cookie = cookies[number // 3 % len(cookies)]
        found.append(await look(port, cookie, READS_NOTHING))
        found.append(await look(port, cookie, READS_NOTHING))
        trickling.append(asyncio.create_task(Trickle(found[-1], 100).run()))
        half_open = await look(proxy.port, cookie, origin_port=port)
        await half_open.whole
        found.append(half_open)
    proxy.hears.clear()
    return found
