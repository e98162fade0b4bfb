"""R11: what the PBX sees of the circuit breaker: five failures, a rest of 15 s, one probe."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from aiohttp import web

from app.pbx.breaker import FAILURES, REST_S
from tests.chaos import exchange
from tests.chaos.site import Site
from tests.chaos.verdict import PATIENCE
from tests.chaos.viewer import Toast, click
from tests.fake_pbx import FakePbx, Fault, server_error

AT_ONCE = 5
PAUSE_S = 0.3
# How late a probe may be: somebody has to click.
LATE_S = 1.0 * PATIENCE
BUSY, DONE = 503, 200


@dataclass(frozen=True)
class Rests:
    """How often it failed before it was left alone, and for how long it was, twice."""

    failures: int
    first_s: float
    second_s: float
    works_again: bool

    @property
    def is_good(self) -> bool:
        # A second probe beside the first would be a rest of no time.
        rests = (self.first_s, self.second_s)
        return (
            self.failures == FAILURES
            and all(REST_S <= rest_s <= REST_S + LATE_S for rest_s in rests)
            and self.works_again
        )


class Clicks:
    """Supervisors who listen, several at once, each time to another agent."""

    def __init__(self, site: Site, cookies: Sequence[str]) -> None:
        self._site = site
        self._cookies = cookies
        self._number = count()

    async def one(self) -> Toast:
        number, people = next(self._number), len(self._cookies)
        extension = str(exchange.FIRST + (number + number // people) % people)
        wish = {"extension": extension, "callid": f"t{extension}", "mode": "listen"}
        cookie = self._cookies[number % people]
        return await asyncio.to_thread(click, self._site, cookie, "spy", reason="Training", **wish)

    async def several(self) -> list[Toast]:
        return await asyncio.gather(*(self.one() for _ in range(AT_ONCE)))

    async def until_it_comes(self, came: list[float], number: int) -> None:
        """Until the PBX was asked so often."""
        async with asyncio.timeout(REST_S + 30):
            while len(came) < number:
                await self.several()
                await asyncio.sleep(PAUSE_S)


async def rests(site: Site, pbx: FakePbx, cookies: Sequence[str]) -> Rests:
    """It fails until it is left alone, once more when it is probed, and then is well again."""
    came, clicks = list[float](), Clicks(site, cookies)
    pbx.fault = noting(came, server_error)
    while (await clicks.one()).status != BUSY:
        assert len(came) <= 2 * FAILURES, "it is never left alone"
    failures = len(came)
    await clicks.until_it_comes(came, failures + 1)
    pbx.fault = noting(came, well)
    await clicks.until_it_comes(came, failures + 2)
    works_again = all(toast.status == DONE for toast in await clicks.several())
    first, second = came[failures : failures + 2]
    return Rests(failures, first - came[failures - 1], second - first, works_again)


def noting(came: list[float], fault: Fault) -> Fault:
    """The same, and `came` gets when it was asked (monotonic s)."""

    async def noted(pbx: FakePbx, request: web.Request, key: str) -> web.StreamResponse:
        came.append(time.monotonic())
        return await fault(pbx, request, key)

    return noted


async def well(pbx: FakePbx, request: web.Request, key: str) -> web.StreamResponse:
    return pbx.reply("spy")
