"""R15: told to end, Pitwall sends boards away one after the other, and hears the PBX meanwhile."""

import argparse
import asyncio
import signal
from collections import Counter
from pathlib import Path
from typing import cast

from tests.chaos.site import Site
from tests.chaos.verdict import PATIENCE, Judged, soon, told
from tests.chaos.viewer import supervisors
from tests.live_viewer import AS_BROWSERS, READS_NOTHING, Viewer, look

PEOPLE, EACH = 10, 4
BOARDS = PEOPLE * EACH
OPEN = 101
RESTART = 1012
# Of the two seconds: enough to be sure that they are not closed at one moment.
SPREAD_S = 1.5
MOST_AT_ONCE = 5
MOMENT_S = 0.1


async def left(site: Site, cookies: list[str]) -> dict[str, object]:
    """Boards that read, and some that do not; then SIGTERM."""
    loop = asyncio.get_running_loop()
    *good, one, last = cookies
    viewers = [await look(site.port, cookie, headers=AS_BROWSERS) for cookie in good * EACH]
    deaf = [await look(site.port, one, READS_NOTHING) for _ in range(EACH)]
    assert all(viewer.status == OPEN for viewer in (*viewers, *deaf))

    async def watch(viewer: Viewer) -> float:
        await viewer.gone
        return loop.time()

    await asyncio.gather(*(viewer.whole for viewer in viewers))
    watching = [asyncio.create_task(watch(viewer)) for viewer in viewers]
    began = loop.time()
    site.process.send_signal(signal.SIGTERM)
    await asyncio.wait(watching, return_when=asyncio.FIRST_COMPLETED)
    heard = [await asyncio.to_thread(site.hook, f"l{number}") for number in range(10)]
    late = await look(site.port, last)
    times = sorted(await asyncio.gather(*watching))
    await asyncio.to_thread(site.wait_for_death, 30)
    ended = loop.time()
    for viewer in deaf:
        viewer.transport.abort()
    return {
        "closed with": dict(Counter(viewer.code for viewer in viewers)),
        "from the first to the last, s": times[-1] - times[0],
        "most at once": max(sum(at <= other < at + MOMENT_S for other in times) for at in times),
        "webhooks meanwhile": dict(Counter(heard)),
        "who comes too late": late.status,
        "ended after, s": ended - began,
    }


def r15_leaving(folder: Path, options: argparse.Namespace) -> Judged:
    site = Site(folder, PITWALL_TEST_BOARDS_PER_S="1000")
    cookies = supervisors(site, PEOPLE + 2)
    site.start()
    found = asyncio.run(left(site, cookies))
    good = bool(
        found["closed with"] == {RESTART: BOARDS}
        and cast(float, found["from the first to the last, s"]) >= SPREAD_S
        and cast(int, found["most at once"]) <= MOST_AT_ONCE * PATIENCE
        and set(cast(dict[int, int], found["webhooks meanwhile"])) == {200}
        and found["who comes too late"] == 503
        and soon(found["ended after, s"], 10)
    )
    return good, told(found)


TRIALS = (r15_leaving,)
