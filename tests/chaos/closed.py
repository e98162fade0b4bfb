"""R5: the database may not be used. A start says so in one line; what runs already goes on."""

import argparse
import contextlib
import os
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.chaos.disk import Sent, small_disk
from tests.chaos.site import BESIDE, Site
from tests.chaos.verdict import PATIENCE, Judged, soon, told

# Most of it is Python, which reads the program: 1.2 of 1.5 s.
REFUSED_S = 2.0 * PATIENCE
CLOSED_S = 4.0
NOBODY = 65534
# Root as everybody else is: what a file's mode forbids is forbidden.
AS_A_USER = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


def before() -> tuple[str, ...]:
    """What makes a process obey the modes of files."""
    return AS_A_USER if os.geteuid() == 0 else ()


def refusals(folder: Path) -> Iterator[tuple[str, int, float, list[str]]]:
    """Starts that must fail: what is wrong, the exit code, seconds, what was said."""
    (folder / "a-file").touch()
    yield "the folder is a file", *refused(Site(folder / "a-file"), folder / "out-1")
    site = made(folder / "newer")
    with contextlib.closing(sqlite3.connect(site.database)) as connection, connection:
        connection.execute("INSERT INTO migration VALUES ('log', 99)")
    yield "a newer database", *refused(site, folder / "out-2")
    site = made(folder / "another's")
    if os.geteuid() == 0:
        os.chown(site.database, NOBODY, NOBODY)
    else:
        site.database.chmod(0)
    yield "another's database", *refused(site, folder / "out-3")
    site = made(folder / "closed")
    for suffix in BESIDE:
        site.database.with_name(site.database.name + suffix).unlink(missing_ok=True)
    site.folder.chmod(0o500)
    yield "a read-only folder", *refused(site, folder / "out-4")
    if os.geteuid() == 0:
        with small_disk(folder, 8) as place:
            subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
            yield "a read-only disk", *refused(Site(place), folder / "out-5")


def made(folder: Path) -> Site:
    """One that ran before."""
    folder.mkdir()
    site = Site(folder)
    site.start()
    site.stop()
    return site


def refused(site: Site, output: Path) -> tuple[int, float, list[str]]:
    site.output = output
    began = time.monotonic()
    site.launch(before())
    assert site.wait_for_death(30), site.said
    return site.process.returncode, time.monotonic() - began, site.said.splitlines()


def closed_meanwhile(folder: Path) -> dict[str, object]:
    """Folder and files become read-only under the running program, and writable again."""
    site = Site(folder)
    site.start(before=before())
    sent = Sent(site)
    sent.one()
    modes = {path: path.stat().st_mode for path in (folder, *folder.glob("pitwall.db*"))}
    for path, mode in modes.items():
        path.chmod(mode & 0o555)
    until = time.monotonic() + CLOSED_S
    while time.monotonic() < until:
        sent.one()
    live = site.status("/health/live")
    for path, mode in modes.items():
        path.chmod(mode)
    back_after = sent.until(200, 15)
    counted = int(site.metric('pitwall_webhooks_total{result="unstored"}'))
    site.stop()
    stored, whole = site.kept()
    return {
        "acknowledged": len(sent.stored),
        "refused and counted": (sent.refused, counted),
        "answered otherwise": sent.other,
        "live": live,
        "saved again after, s": back_after,
        "lost": len(set(sent.stored) - set(stored)),
        "whole": whole,
    }


def r5_refusals(folder: Path, options: argparse.Namespace) -> Judged:
    good, said = True, []
    for what, code, seconds, lines in refusals(folder):
        good = good and code != 0 and seconds <= REFUSED_S and len(lines) == 1
        said.append(f"{what}: exit {code} in {seconds:.1f} s, {len(lines)} line: {lines[-1]}")
    return good, "; ".join(said)


def r5_closed(folder: Path, options: argparse.Namespace) -> Judged:
    found = closed_meanwhile(folder)
    good = bool(
        found["acknowledged"]
        and found["whole"]
        and not found["lost"]
        and not found["answered otherwise"]
        and found["live"] == 200
        and soon(found["saved again after, s"], 10)
    )
    return good, told(found)


TRIALS = (r5_refusals, r5_closed)
