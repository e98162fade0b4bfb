"""R3, R5: the file system dies under the running program, and nobody can write to it any more.

Linux lets root shut ext4 down without writing its journal: what was not flushed is gone, as when a
disk's cable is pulled. What was acknowledged before must be there after the next mount. To the one
`fdatasync` that is under way at that moment the kernel may say yes though it wrote nothing (6.18:
in 37 of 150 deaths of a bare loop of writes), so what was acknowledged since is told, not judged.
"""

import argparse
import contextlib
import fcntl
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.disk import MEBIBYTE, Sent
from tests.chaos.load import Load
from tests.chaos.site import Site
from tests.chaos.verdict import Judged, skipped, soon, told
from tests.chaos.viewer import Viewer

# Of linux/fs/ext4/ext4.h: _IOR('X', 125, __u32), and "do not flush the log".
EXT4_IOC_SHUTDOWN, NOLOGFLUSH = 0x8004587D, 2
IMAGE_MIB = 192
ROUNDS = 4
TOOLS = ("mkfs.ext4", "mount", "umount")


class RealDisk:
    """An ext4 file system in a file; `die` is for ever, until it is mounted again."""

    def __init__(self, folder: Path) -> None:
        self.place = folder / "disk"
        self._image = folder / "image"
        with self._image.open("wb") as image:
            image.truncate(IMAGE_MIB * MEBIBYTE)
        subprocess.run(["mkfs.ext4", "-q", self._image], check=True)
        self.place.mkdir()

    @contextlib.contextmanager
    def mounted(self) -> Iterator[Path]:
        subprocess.run(["mount", "-o", "loop", self._image, self.place], check=True)
        try:
            yield self.place
        finally:
            subprocess.run(["umount", self.place], check=True)

    def die(self) -> None:
        root = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(root, EXT4_IOC_SHUTDOWN, NOLOGFLUSH.to_bytes(4, sys.byteorder))
        finally:
            os.close(root)


@dataclass(frozen=True)
class After:
    """What the program said once its disk was dead; `banner_s` None: the board never did."""

    stored: int
    ready: int
    banner_s: float | None

    def __str__(self) -> str:
        banner = "none" if self.banner_s is None else f"after {self.banner_s:.1f} s"
        return f"{self.stored} of 20 taken, ready: {self.ready}, banner: {banner}"

    @property
    def is_told(self) -> bool:
        return not self.stored and self.ready in {503, 0} and soon(self.banner_s, 5)


@dataclass
class Deaths:
    """Calls acknowledged before the disk died each time, and since; what was said, what is left."""

    before: set[str] = field(default_factory=set)
    since: set[str] = field(default_factory=set)
    after: list[After] = field(default_factory=list)
    stored: list[str] = field(default_factory=list)
    whole: bool = True


def dead_disk(folder: Path, seed: int = 1) -> tuple[dict[str, object], list[After]]:
    """Let it die under load at any moment, kill, mount again, start: what is there?"""
    disk, chance, deaths = RealDisk(folder), random.Random(seed), Deaths()
    output = folder / "output.txt"
    for number in range(ROUNDS):
        die_under_load(disk, output, number, chance.uniform(0.5, 2.5), deaths)
        look_what_is_there(disk, output, deaths)
    since, stored = deaths.since - deaths.before, set(deaths.stored)
    found: dict[str, object] = {
        "deaths": ROUNDS,
        "acknowledged": len(deaths.before),
        "lost": len(deaths.before - stored),
        "acknowledged while it died, of these not there": (len(since), len(since - stored)),
        "doubled": len(deaths.stored) - len(stored),
        "whole": deaths.whole,
        "swallowed": output.read_text(errors="replace").count("never retrieved"),
    }
    return found, deaths.after


def die_under_load(
    disk: RealDisk, output: Path, number: int, after_s: float, deaths: Deaths
) -> None:
    with disk.mounted() as place, running(place, output) as site, board(site) as viewer:
        with Load(site, f"d{number}") as load:
            time.sleep(after_s)
            deaths.before.update(load.acknowledged)
            disk.die()
            time.sleep(1.0)
        deaths.since.update(load.acknowledged)
        deaths.after.append(what_is_said(site, viewer))


def look_what_is_there(disk: RealDisk, output: Path, deaths: Deaths) -> None:
    """After a start, which recovers what the last death left, and an orderly end."""
    with disk.mounted() as place:
        with running(place, output) as site:
            site.stop()
        deaths.stored, is_whole = site.kept()
        deaths.whole = deaths.whole and is_whole


@contextlib.contextmanager
def running(place: Path, output: Path) -> Iterator[Site]:
    """What it prints lies elsewhere, as a service's does; it is killed in the end."""
    site = Site(place)
    site.output = output
    site.start()
    try:
        yield site
    finally:
        if site.is_running:
            site.kill()


@contextlib.contextmanager
def board(site: Site) -> Iterator[Viewer]:
    viewer = Viewer(site, f"ann-{site.port}")
    try:
        yield viewer
    finally:
        viewer.close()


def what_is_said(site: Site, viewer: Viewer) -> After:
    sent, banner_s = Sent(site), viewer.wait(True, 10)
    for _ in range(20):
        sent.one()
    return After(len(sent.stored), site.status("/health/ready"), banner_s)


def r3_dead_disk(folder: Path, options: argparse.Namespace) -> Judged:
    if os.geteuid() != 0 or sys.platform != "linux" or not all(map(shutil.which, TOOLS)):
        return skipped("only root can mount a file system and shut it down")
    found, after = dead_disk(folder)
    good = bool(
        found["acknowledged"]
        and found["whole"]
        and not found["lost"]
        and not found["doubled"]
        and not found["swallowed"]
        and all(each.is_told for each in after)
    )
    return good, f"{told(found)}; {', '.join(map(str, after))}"


TRIALS = (r3_dead_disk,)
