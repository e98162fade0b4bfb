"""R7: the database is damaged while it is in use. The nightly check ends the program with a word.

The night comes soon by a time zone made for it: nothing in the program is told to hurry.
"""

import argparse
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.chaos.damage import after_a_start, garbage_page, live_through_thirty_calls
from tests.chaos.site import Site
from tests.chaos.verdict import Judged, soon, told

ZONE = "Chaos/Night"
NIGHT_S = 3 * 3600
DAY_S = 24 * 3600
# Ready before the night, and damaged before the second look at the clock, a minute after the first.
SOON_S = 50
CAME_S = 120.0
TRACEBACK = "Traceback (most recent call last):"
SAID = "The nightly check found the database damaged"


def damaged_at_night(folder: Path, with_backup: bool) -> dict[str, object]:
    """Damage it while it runs, wait for the night, start it again: what is left of the calls?"""
    site = Site(folder, PYTHONTZPATH=f"{folder}:/usr/share/zoneinfo", PITWALL_TIMEZONE=ZONE)
    made_zone(folder / ZONE, DAY_S // 2)
    live_through_thirty_calls(site, with_backup)
    site.stop()
    made_zone(folder / ZONE, SOON_S)
    site.start()
    before = len(site.said)
    garbage_page(site.database)
    began = time.monotonic()
    assert site.wait_for_death(CAME_S), f"the night came and nothing happened\n{site.said[-500:]}"
    found_s, code = time.monotonic() - began, site.process.returncode
    said = site.said[before:]
    return after_a_start(site) | {
        "ended after, s": round(found_s, 1),
        "exit code": code,
        "said once": said.count("CRITICAL") == said.count(SAID) == 1,
        "traceback": said.partition(TRACEBACK)[2].strip()[-300:],
    }


def made_zone(path: Path, seconds: float) -> None:
    """A time zone (RFC 8536, version 1) in which it will be three at night in so many seconds."""
    offset = round(NIGHT_S - seconds - time.time()) % DAY_S
    offset -= DAY_S if offset >= DAY_S // 2 else 0
    path.parent.mkdir(exist_ok=True)
    counts = struct.pack(">6l", 0, 0, 0, 0, 1, 4)
    path.write_bytes(b"TZif" + bytes(16) + counts + struct.pack(">lBB", offset, 0, 0) + b"NGT\0")


def r7_night(folder: Path, options: argparse.Namespace) -> Judged:
    """With a backup and without, at the same time: most of it is waiting."""
    places = {folder / "backup": True, folder / "empty": False}
    for place in places:
        place.mkdir()
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(damaged_at_night, places, places.values()))
    good = all(
        each["exit code"] not in (None, 0)
        and each["said once"]
        and not each["traceback"]
        and soon(each["started after, s"], 60)
        and each["works"]
        and each["moved aside unchanged"]
        and each["old calls left"] == (30 if with_backup else 0)
        for each, with_backup in zip(found, places.values(), strict=True)
    )
    return good, "; ".join(told(each) for each in found)


TRIALS = (r7_night,)
