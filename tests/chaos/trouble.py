"""R11: a PBX in trouble, and fifty supervisors who click: each is answered, the PBX asked once.

A real Pitwall with its own patience, a PBX that fails in each of the ways PBXs do, and webhooks
twenty times a second, which must notice nothing.
"""

import argparse
import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.chaos import exchange
from tests.chaos.breaker import rests
from tests.chaos.site import Site, free_port, ring
from tests.chaos.verdict import ACK_S, PATIENCE, Judged, soon, told
from tests.chaos.viewer import Toast, click, supervisors
from tests.fake_pbx import FAULTS, FakePbx, flapping, running_pbx
from tests.senders import Answers

SUPERVISORS = 50
ANSWER_S = 6.0 * PATIENCE
QUIET_S = 15.0
BESIDE_S = 10.0
REFUSED, FLAPPING = "refused", "flapping"
MODES = (REFUSED, FLAPPING, *FAULTS)
ACTIONS = frozenset({"spy", "dial", "update_status"})
# What a PBX says that has nothing to tell.
HEALTHY: dict[str, list[object]] = {"all_members": [], "status": [], "cdr": []}


def clicked(site: Site, cookie: str, number: int) -> Toast:
    """The action of the supervisor of that number, on the agent of that number."""
    extension = str(exchange.FIRST + number)
    if number % 3 == 0:
        wish = {"callid": f"t{extension}", "mode": "listen", "reason": "Training"}
        return click(site, cookie, "spy", extension=extension, **wish)
    if number % 3 == 1:
        return click(site, cookie, "pause", extension=extension, reason="Break")
    return click(site, cookie, "call", extension=extension)


class Floor:
    """A site with a PBX and people at it; started anew for each trouble."""

    def __init__(self, folder: Path, pbx: FakePbx) -> None:
        self.pbx = pbx
        self.site = Site(
            folder,
            PITWALL_PBX_KEY="k" * 24,
            PITWALL_PBX_DOMAIN="example.com",
        )
        self.cookies: list[str] = []

    async def open(self, pbx_url: str = "") -> None:
        """Agents who are known, each in a call, and a PBX that is well."""
        self.pbx.fault = None
        if not self.cookies:
            self.cookies = await asyncio.to_thread(supervisors, self.site, SUPERVISORS)
        await asyncio.to_thread(self.site.start, PITWALL_PBX_URL=pbx_url or self.pbx.url)
        await exchange.fill(self.site.port)
        for number in range(exchange.FIRST, exchange.FIRST + SUPERVISORS):
            answered = ring(f"t{number}", str(number), "ANSWER")
            assert await asyncio.to_thread(self.site.status, answered) == 200

    async def close(self) -> None:
        await asyncio.to_thread(self.site.stop)

    async def click_all(self) -> list[Toast]:
        """Everybody at the same moment."""
        clicks = [
            asyncio.to_thread(clicked, self.site, cookie, number)
            for number, cookie in enumerate(self.cookies)
        ]
        return await asyncio.gather(*clicks)


async def trouble(floor: Floor, mode: str) -> tuple[dict[str, object], Answers]:
    """Everybody clicks while webhooks come; what came of both."""
    pbx = floor.pbx
    await floor.open(dead_end() if mode == REFUSED else "")
    pbx.got.clear()
    pbx.fault = flapping(3) if mode == FLAPPING else FAULTS.get(mode)
    beside = asyncio.create_task(exchange.changes(floor.site.port, BESIDE_S))
    # The senders' process has started by then.
    await asyncio.sleep(2)
    toasts = await floor.click_all()
    answers = await beside
    asked = Counter(f"{call} {body}" for call, body in pbx.got if call in ACTIONS)
    await floor.close()
    return {
        "the PBX": mode,
        "answers": dict(Counter(toast.status for toast in toasts)),
        "slowest answer, s": max(toast.seconds for toast in toasts),
        "without words": sum(not toast.words for toast in toasts),
        "asked of it": sum(asked.values()),
        "most for one click": max(asked.values(), default=0),
    }, answers


def dead_end() -> str:
    """An address at which nobody listens."""
    return f"http://127.0.0.1:{free_port()}"


async def _tried(folder: Path) -> Judged:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(SUPERVISORS + 4))
    good, said = True, []
    async with running_pbx(replies=HEALTHY) as pbx:
        floor = Floor(folder, pbx)
        await floor.open()
        quiet = await exchange.changes(floor.site.port, QUIET_S)
        await floor.close()
        said.append(f"p99 of webhooks when it is quiet: {quiet.p99() * 1000:.1f} ms")
        for mode in MODES:
            found, beside = await trouble(floor, mode)
            said.append(f"{told(found)}, p99 of webhooks beside: {beside.p99() * 1000:.1f} ms")
            good = good and bool(
                beside.statuses == {200: beside.sent}
                and beside.p99() <= max(ACK_S, 2 * quiet.p99())
                and soon(found["slowest answer, s"], ANSWER_S)
                and not found["without words"]
                and (found["asked of it"] or mode == REFUSED)
                and isinstance(once := found["most for one click"], int)
                and once <= 1
            )
        await floor.open()
        rested = await rests(floor.site, pbx, floor.cookies)
        await floor.close()
    said.append(str(rested))
    return good and rested.is_good, "; ".join(said)


def r11_trouble(folder: Path, options: argparse.Namespace) -> Judged:
    return asyncio.run(_tried(folder))


TRIALS = (r11_trouble,)
