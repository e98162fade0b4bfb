"""R15, R21: restarts that refuse nobody, a process that stands still."""

import argparse
import os
import signal
import socket
import time
from pathlib import Path
from typing import cast

from tests.chaos.load import Load
from tests.chaos.site import Site
from tests.chaos.verdict import Judged, soon, told
from tests.chaos.viewer import Viewer


def rolling(folder: Path, restarts: int, rate: float = 50.0) -> dict[str, object]:
    """Restart under load while the service manager holds the listening socket."""
    site, stops, starts = Site(folder), [], []
    site.hold_socket()
    site.start()
    with Load(site, "x", lanes=8, rate=rate) as load:
        for _ in range(restarts):
            time.sleep(0.5)
            stops.append(site.stop())
            starts.append(site.start())
        time.sleep(0.5)
    site.stop()
    site.release_socket()
    return {
        "restarts": restarts,
        "outcomes": dict(load.outcomes),
        "slowest answer, s": round(load.slowest_s, 2),
        "slowest stop, s": round(max(stops), 2),
        "slowest start, s": round(max(starts), 2),
        **left_of(site, load),
    }


def health(folder: Path) -> dict[str, object]:
    """A process that stands still answers nothing and tells its service manager nothing."""
    address = str(folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hearing:
        hearing.bind(address)
        hearing.settimeout(3)
        site = Site(folder, NOTIFY_SOCKET=address, WATCHDOG_USEC="1500000")
        site.start()
        said = heard(hearing, 2.0)
        site.process.send_signal(signal.SIGSTOP)
        heard(hearing, 0.5)
        silence = heard(hearing, 2.0)
        frozen = site.status("/health/live", timeout=2)
        site.process.send_signal(signal.SIGCONT)
        back = site.status("/health/live")
        stop_s = site.stop()
    os.unlink(address)
    return {
        "told when ready": "READY=1" in said,
        "told that it lives": said.count("WATCHDOG=1") >= 2,
        "told while frozen": silence,
        "live while frozen": frozen,
        "live afterwards": back,
        "stop, s": round(stop_s, 2),
    }


def frozen(folder: Path, seconds: float) -> dict[str, object]:
    """Stand still under load and before a board, as a machine does whose owner moves it."""
    site = Site(folder)
    site.start()
    viewer = Viewer(site)
    with Load(site, "f", lanes=8, rate=100.0) as load:
        time.sleep(1)
        site.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        site.process.send_signal(signal.SIGCONT)
        began = time.monotonic()
        site.wait_ready()
        ready_s = time.monotonic() - began
        seen = viewer.version
        time.sleep(1)
    shown = viewer.version - seen
    viewer.close()
    site.stop()
    return {
        "stood still, s": seconds,
        "ready again after, s": ready_s,
        "frames within the next second": shown,
        "outcomes": dict(load.outcomes),
        **left_of(site, load),
    }


def left_of(site: Site, load: Load) -> dict[str, object]:
    """What of the acknowledged webhooks is in the database, and how often."""
    stored, whole = site.kept()
    return {
        "lost": len(set(load.acknowledged) - set(stored)),
        "doubled": len(stored) - len(set(stored)),
        "whole": whole,
    }


def all_kept(found: dict[str, object]) -> bool:
    """Of what `left_of` told: nothing is missing, nothing is there twice, the file is whole."""
    return bool(not found["lost"] and not found["doubled"] and found["whole"])


def heard(hearing: socket.socket, seconds: float) -> list[str]:
    """What the service manager hears within that time."""
    said, deadline = [], time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        hearing.settimeout(left)
        try:
            said.append(hearing.recv(200).decode())
        except TimeoutError:
            break
    return said


def r15_restarts(folder: Path, options: argparse.Namespace) -> Judged:
    found = rolling(folder, options.restarts)
    good = bool(
        set(cast(dict[str, int], found["outcomes"])) == {"200"}
        and all_kept(found)
        and soon(found["slowest answer, s"], 5)
        and soon(found["slowest stop, s"], 10)
    )
    return good, told(found)


def r15_frozen(folder: Path, options: argparse.Namespace) -> Judged:
    found = frozen(folder, options.frozen_s)
    outcomes = cast(dict[str, int], found["outcomes"])
    good = bool(
        # Who waits longer than a PBX would has left before.
        set(outcomes) <= {"200", "TimeoutError"}
        and outcomes["200"] > 100
        and found["frames within the next second"]
        and all_kept(found)
        and soon(found["ready again after, s"], 2)
    )
    return good, told(found)


def r21_health(folder: Path, options: argparse.Namespace) -> Judged:
    found = health(folder)
    good = bool(
        found["told when ready"]
        and found["told that it lives"]
        and found["told while frozen"] == []
        and found["live while frozen"] == 0
        and found["live afterwards"] == 200
        and soon(found["stop, s"], 10)
    )
    return good, told(found)


TRIALS = (r15_restarts, r15_frozen, r21_health)
