"""One phone whose changes a PBX tells of, and a board that shows them, while others do harm."""

import asyncio
import re
import time
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from tests.live_viewer import Viewer, look
from tests.running import TOKEN
from tests.senders import Line, quantile
from tests.served import request_of

PHONE = "101"
CARD = re.compile(rf'id="a-{PHONE}"[^>]*data-status="(\w+)"'.encode())
PAUSE_S = 0.05
PATIENCE_S = 10.0


@dataclass
class Beside:
    """`answered_s` until the PBX had its answer, `shown_s` until the board showed the change."""

    port: int
    cookie: str
    answered_s: list[float] = field(default_factory=list)
    shown_s: list[float] = field(default_factory=list)
    refused: int = 0

    async def during(self, harm: "asyncio.Future[Any]") -> None:
        """One change after the other until the harm is done, and two at least."""
        viewer, line = await look(self.port, self.cookie), Line(self.port)
        await viewer.whole
        for status in cycle(("talk", "pause")):
            await self._tell(viewer, line, status)
            if harm.done() and status == "pause":
                break
        line.close()
        viewer.transport.abort()

    async def _tell(self, viewer: Viewer, line: Line, status: str) -> None:
        shown: asyncio.Future[float] = asyncio.get_running_loop().create_future()

        def notice(html: bytes, at: float) -> None:
            card = CARD.search(html)
            if card and card[1] == status.encode() and not shown.done():
                shown.set_result(at)

        viewer.on_frame, began = notice, time.monotonic()
        request = request_of("/Agent/ChangeStatus", TOKEN, extension=PHONE, status=status)
        self.refused += await line.send(request) != 200
        self.answered_s.append(time.monotonic() - began)
        self.shown_s.append(await asyncio.wait_for(shown, PATIENCE_S) - began)
        await asyncio.sleep(PAUSE_S)

    @property
    def found(self) -> dict[str, object]:
        """What the two saw, in words and seconds."""
        return {
            "changes told beside": len(self.answered_s),
            "refused": self.refused,
            "answered, p99, s": quantile(self.answered_s, 0.99),
            "shown, p99, s": quantile(self.shown_s, 0.99),
        }

    def is_unharmed(self, limit_s: float) -> bool:
        """Nothing was refused, and both were served within the limit (p99)."""
        slowest = max(quantile(self.answered_s, 0.99), quantile(self.shown_s, 0.99))
        return not self.refused and slowest <= limit_s
