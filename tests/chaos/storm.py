"""R14: all viewers lose their connection at the same moment and come back at once."""

import asyncio
import random
import time
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.crowd import Crowd, resident_mebibytes, sign_in
from tests.chaos.exchange import changes, fill
from tests.live_viewer import Viewer
from tests.running import Pitwall


@dataclass(frozen=True)
class Storm:
    """`back_s`: until the last one had a whole board again. `refused`: handshakes sent away."""

    back_s: float
    ack_p50_s: float
    ack_p99_s: float
    refused: int
    grown_mebibytes: float
    unanswered: int


def storm(folder: Path, port: int, viewers: int, seconds: float = 10) -> Storm:
    """So many at once, while the PBX goes on for so long at twenty webhooks a second."""
    cookies = sign_in(folder, viewers)
    pitwall = Pitwall(port, folder)
    pitwall.start()
    try:
        return asyncio.run(_storm(pitwall, port, cookies, viewers, seconds))
    finally:
        pitwall.stop()


async def _storm(
    pitwall: Pitwall, port: int, cookies: list[str], viewers: int, seconds: float
) -> Storm:
    await fill(port)
    memory = resident_mebibytes(pitwall)
    crowd = Crowd(port, cookies)
    await crowd.open(viewers)
    crowd.drop()
    crowd.refused = 0
    began = time.monotonic()
    returning = asyncio.gather(*(_come_back(crowd, number) for number in range(viewers)))
    pbx = asyncio.create_task(changes(port, seconds))
    crowd.viewers = await returning
    back = time.monotonic() - began
    answers, grown = await pbx, resident_mebibytes(pitwall) - memory
    crowd.close()
    p50 = sorted(answers.seconds)[len(answers.seconds) // 2]
    unanswered = answers.sent - answers.statuses[200]
    return Storm(back, p50, answers.p99(), crowd.refused, grown, unanswered)


async def _come_back(crowd: Crowd, number: int) -> Viewer:
    """A page waits up to a second before its first try."""
    await asyncio.sleep(random.uniform(0, 1))
    return await crowd.enter(number)
