"""R4, R6: the disk is full, or the database locked; and what a viewer sees of it."""

import contextlib
import resource
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.chaos.site import Site, stored_calls
from tests.chaos.viewer import Viewer
from tests.waiting import wait_for

MEBIBYTE = 1024**2
SMALL = 40 * 1024


@contextlib.contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Path]:
    """A file system of its own; needs root."""
    place = folder / "disk"
    place.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(place)], check=True
    )
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


class Sent:
    """What was sent one by one, and what came back."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.stored: list[str] = []
        self.refused = 0
        self.other: list[int] = []
        self._number = 0

    def one(self) -> int:
        callid = f"d{self._number}"
        self._number += 1
        status = self._site.hook(callid)
        if status == 200:
            self.stored.append(callid)
        elif status == 503:
            self.refused += 1
        else:
            self.other.append(status)
        return status

    def until(self, status: int, patience_s: float) -> float | None:
        """Send until that is answered; how long it took in seconds."""
        began = time.monotonic()
        while time.monotonic() - began < patience_s:
            if self.one() == status:
                return time.monotonic() - began
            time.sleep(0.02)
        return None


def full_disk(folder: Path) -> dict[str, object]:
    """Fill the disk: the ballast goes; fill it again: 503 and a banner; free it: all is well."""
    with small_disk(folder, 240) as place:
        site = Site(place)
        site.start()
        ballast = place / "pitwall.db.ballast"
        wait_for(ballast.exists, 10)
        viewer, sent = Viewer(site), Sent(site)
        sent.one()
        fill(place / "filler-1")
        gave_up = spend(sent, lambda: not ballast.exists())
        goes_on = sent.until(200, 10)
        fill(place / "filler-2")
        refused_after = sent.until(503, 30)
        banner_after = viewer.wait(True, 10)
        health = (site.status("/health/live"), site.status("/health/ready"))
        for _ in range(20):
            sent.one()
        (place / "filler-1").unlink()
        back_after = sent.until(200, 30)
        banner_gone = viewer.wait(False, 15)
        counted = site.metric('pitwall_webhooks_total{result="unstored"}')
        viewer.close()
        site.stop()
        stored, whole = site.kept()
        return {
            "ballast given up": gave_up,
            "saving went on after the ballast, s": goes_on,
            "refused again": refused_after is not None,
            "banner after, s": banner_after,
            "live and ready while full": health,
            "saved again after, s": back_after,
            "banner gone after, s": banner_gone,
            "acknowledged": len(sent.stored),
            "lost": len(set(sent.stored) - set(stored)),
            "refused and counted": (sent.refused, int(counted)),
            "answered otherwise": sent.other,
            "whole": whole,
        }


def spend(sent: Sent, done: Callable[[], bool]) -> bool:
    """Send until `done`, which a full disk must bring about."""
    deadline = time.monotonic() + 60
    while not done() and time.monotonic() < deadline:
        sent.one()
    return done()


def quota(folder: Path) -> dict[str, object]:
    """The same without root: files of the process may not grow any more."""
    site = Site(folder)
    site.start()
    viewer, sent = Viewer(site), Sent(site)
    sent.one()
    with no_room(site):
        refused = sent.until(503, 30)
        banner_after = viewer.wait(True, 10)
        live = site.status("/health/live")
    back_after, banner_gone = sent.until(200, 15), viewer.wait(False, 15)
    counted = site.metric('pitwall_webhooks_total{result="unstored"}')
    viewer.close()
    site.stop()
    stored, whole = site.kept()
    return {
        "refused": refused is not None,
        "refused and counted": (sent.refused, int(counted)),
        "banner after, s": banner_after,
        "live": live,
        "saved again after, s": back_after,
        "banner gone after, s": banner_gone,
        "lost": len(set(sent.stored) - set(stored)),
        "whole": whole,
    }


@contextlib.contextmanager
def no_room(site: Site) -> Iterator[None]:
    """What the process has written may not grow. Needs no root, and no disk of its own."""
    _, most = resource.prlimit(site.process.pid, resource.RLIMIT_FSIZE)
    # Where a checkpoint began the WAL anew, some more frames fit; then none does.
    resource.prlimit(site.process.pid, resource.RLIMIT_FSIZE, (SMALL, most))
    try:
        yield
    finally:
        resource.prlimit(site.process.pid, resource.RLIMIT_FSIZE, (most, most))


@contextlib.contextmanager
def exclusive(site: Site) -> Iterator[None]:
    """Another program has the database to itself."""
    with contextlib.closing(sqlite3.connect(site.database, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


def fill(path: Path) -> None:
    """Write until there is no room, to the last byte."""
    block = b"\0" * MEBIBYTE
    with path.open("wb", buffering=0) as file:
        while block:
            try:
                if file.write(block) < len(block):
                    block = block[: len(block) // 2]
            except OSError:
                block = block[: len(block) // 2]


def locked(folder: Path, seconds: float) -> dict[str, object]:
    """Another program holds the database for so long while webhooks come."""
    site = Site(folder)
    site.start()
    sent = Sent(site)
    sent.one()
    connection = sqlite3.connect(site.database, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN EXCLUSIVE")
    freed = threading.Timer(seconds, lambda: connection.execute("ROLLBACK"))
    freed.start()
    statuses = [sent.one()]
    live = site.status("/health/live")
    freed.join()
    back_after = sent.until(200, 15)
    counted = site.metric('pitwall_webhooks_total{result="unstored"}')
    connection.close()
    site.stop()
    with site.copy() as copied:
        stored = stored_calls(copied)
    return {
        "locked, s": seconds,
        "answered meanwhile": statuses,
        "refused and counted": (sent.refused, int(counted)),
        "live": live,
        "saved again after, s": back_after,
        "lost": len(set(sent.stored) - set(stored)),
    }
