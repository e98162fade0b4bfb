"""R14: all viewers lose their connection at once and come back by the page's own rule."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from app.tuning import allow_connections
from tests.chaos.crowd import Crowd, forget_peak, peak_mebibytes, resident_mebibytes, sign_in
from tests.chaos.exchange import changing, fill
from tests.running import Pitwall
from tests.senders import quantile


@dataclass(frozen=True)
class Storm:
    """`back_s`: until the last one had a whole board again. The PBX goes on all that time.

    `refused`: handshakes sent away; `asked`: how often pages asked if they are signed out.
    `peak_mebibytes`: the most there was at one moment, above what there was without any viewer.
    """

    back_s: float
    webhooks: int
    unanswered: int
    ack_p50_s: float
    ack_p99_s: float
    refused: int
    asked: int
    peak_mebibytes: float


def storm(folder: Path, port: int, viewers: int) -> Storm:
    """So many at once, beside twenty webhooks a second."""
    allow_connections()
    cookies = sign_in(folder, viewers)
    pitwall = Pitwall(port, folder)
    pitwall.start()
    try:
        return asyncio.run(_storm(pitwall, port, cookies, viewers))
    finally:
        pitwall.stop()


async def _storm(pitwall: Pitwall, port: int, cookies: list[str], viewers: int) -> Storm:
    await fill(port)
    idle, crowd = resident_mebibytes(pitwall), Crowd(port, cookies)
    await crowd.open(viewers)
    async with changing(port) as pbx:
        forget_peak(pitwall)
        crowd.drop()
        crowd.refused = crowd.asked = 0
        began = time.monotonic()
        returning = (crowd.come_back(number) for number in range(viewers))
        crowd.viewers = await asyncio.gather(*returning)
        back = time.monotonic() - began
    peak, answers = peak_mebibytes(pitwall), await pbx
    crowd.close()
    return Storm(
        back,
        answers.sent,
        answers.sent - answers.statuses[200],
        quantile(answers.seconds, 0.5),
        answers.p99(),
        crowd.refused,
        crowd.asked,
        peak - idle,
    )
