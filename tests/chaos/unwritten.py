"""R22 under R4 and R6: while nothing can be written down nobody listens, and everybody is told so.

Supervisors click Listen all the time: before, while the disk is full or another program keeps the
database, and after.
"""

import argparse
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path
from typing import Self

from tests.chaos.disk import exclusive, no_room
from tests.chaos.listening import AGENTS, ListeningPbx, settings_of
from tests.chaos.site import Site, ring
from tests.chaos.verdict import PATIENCE, Judged, soon, told
from tests.chaos.viewer import Toast, click, supervisors

TROUBLES: dict[str, Callable[[Site], AbstractContextManager[None]]] = {
    "no room": no_room,
    "locked": exclusive,
}
SUPERVISORS = 4
# Longer than a statement waits for a lock, so that some are refused.
TROUBLE_S = 8.0
ANSWER_S = 6.0 * PATIENCE
PAUSE_S = 0.1


class Listeners:
    """Each supervisor listens to one agent after the other; `toasts` has (when it came, answer)."""

    def __init__(self, site: Site, cookies: list[str]) -> None:
        self.toasts: list[tuple[float, Toast]] = []
        self._site = site
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._click, args=(cookie, first))
            for first, cookie in enumerate(cookies)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _click(self, cookie: str, first: int) -> None:
        """The first of them asks for a call that is not there: a refusal is written down, too."""
        for number in count(first, SUPERVISORS):
            extension = str(AGENTS[number % len(AGENTS)])
            callid = f"u{extension}" if first else "nowhere"
            wish = {"extension": extension, "callid": callid, "mode": "listen"}
            toast = click(self._site, cookie, "spy", reason="Training", **wish)
            self.toasts.append((time.monotonic(), toast))
            if self._over.wait(PAUSE_S):
                return


def unwritten(folder: Path, trouble: str) -> dict[str, object]:
    """Click through the trouble, pull the plug, and compare what the PBX heard with the audit."""
    pbx = ListeningPbx()
    site = Site(folder, **settings_of(pbx))
    cookies = supervisors(site, SUPERVISORS)
    site.start()
    for extension in AGENTS:
        assert site.status(ring(f"u{extension}", str(extension), "ANSWER")) == 200
    with Listeners(site, cookies) as listeners:
        time.sleep(2)
        with TROUBLES[trouble](site):
            began = time.monotonic()
            time.sleep(TROUBLE_S)
        freed = time.monotonic()
        time.sleep(4)
    site.kill()
    pbx.close()
    toasts = [toast for _, toast in listeners.toasts]
    during = [toast for at, toast in listeners.toasts if began <= at <= freed]
    again = [at - freed for at, toast in listeners.toasts if at > freed and toast.status == 200]
    return {
        "in the way": trouble,
        "clicks": dict(Counter(toast.status for toast in toasts)),
        "told that nothing was done": sum(toast.status == 503 for toast in during),
        "told that nothing is known yet": sum(toast.status == 504 for toast in during),
        "without words": sum(not toast.words for toast in toasts),
        "slowest answer, s": max(toast.seconds for toast in toasts),
        "listening again after, s": min(again, default=None),
        "asked of the PBX": len(pbx.spied),
        "asked without a row before": unaudited(pbx, site),
    }


def unaudited(pbx: ListeningPbx, site: Site) -> int:
    """How often the PBX was asked for a phone when fewer intents than that were on disk."""
    with site.copy() as connection:
        sql = "SELECT extension, at FROM audit WHERE kind = 'intent' AND action = 'listen'"
        intents = connection.execute(sql).fetchall()
    missing, before = 0, Counter[str]()
    for extension, at in pbx.spied:
        before[extension] += 1
        known = sum(each == extension and written <= at for each, written in intents)
        missing += known < before[extension]
    return missing


def r22_unwritten(folder: Path, options: argparse.Namespace) -> Judged:
    good, said = True, []
    for trouble in TROUBLES:
        place = folder / trouble
        place.mkdir()
        found = unwritten(place, trouble)
        said.append(told(found))
        good = good and bool(
            (found["told that nothing was done"] or found["told that nothing is known yet"])
            and found["asked of the PBX"]
            and not found["asked without a row before"]
            and not found["without words"]
            and soon(found["slowest answer, s"], ANSWER_S)
            and soon(found["listening again after, s"], 10)
        )
    return good, "; ".join(said)


TRIALS = (r22_unwritten,)
