"""R2, R20: after a kill, and of a backup elsewhere, the floor is what it was."""

import argparse
import json
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from app.replay import read_trace
from tests.chaos.floors import Told, follows
from tests.chaos.load import Load
from tests.chaos.site import ROOT, TOKEN, Site, is_whole, stored_calls
from tests.chaos.verdict import Judged, told
from tests.waiting import wait_for

TRACES = ROOT / "tests" / "traces"
OWNER_ONLY = 0o600


def tell(site: Site, suffix: str = "", share: float = 1.0) -> None:
    """Send that share of each trace; the suffix makes it new calls. Wait until the floor has it.

    Calls that ring, are answered, given on and given up; agents who come, pause and go.
    """
    last = 0
    for path, params in webhooks(share):
        if "callid" in params:
            params["callid"] += suffix
        if "calldate" in params:
            zone = ZoneInfo(site.environ["PITWALL_TIMEZONE"])
            params["calldate"] = f"{datetime.now(zone):%Y-%m-%d %H:%M:%S}"
        status, body = site.get(f"/hook/{TOKEN}{path}?{urlencode(params)}")
        assert status == 200, body
        last = json.loads(body)["seq"]
    wait_for(lambda: site.floor()["seq"] >= last, 10)


def webhooks(share: float) -> Iterator[tuple[str, dict[str, str]]]:
    for trace in sorted(TRACES.glob("*.jsonl")):
        told = list(read_trace(trace))
        yield from ((path, params) for _, path, params in told[: round(len(told) * share)])


def seen(floor: Told) -> dict[str, int]:
    """How much there is on it that could differ."""
    parts = ("agents", "queues", "calls", "abandons")
    return {part: len(floor[part]) for part in parts}


def r2_same_after_kill(folder: Path, options: argparse.Namespace) -> Judged:
    """With a snapshot of the floor, and events that came after it."""
    site = Site(folder)
    site.start()
    tell(site)
    site.stop()
    site.start()
    tell(site, "-again", share=0.5)
    before = site.floor()
    site.kill()
    site.start()
    after = site.floor()
    site.stop()
    same = {
        "the floor before the kill follows from the disk": follows(before, site),
        "so does the one after it": follows(after, site),
    }
    return all(same.values()) and all(seen(before).values()), f"{told(same)}; {seen(before)}"


def r20_restore(folder: Path, options: argparse.Namespace) -> Judged:
    """One backup of a floor that stands still, and one under load: both elsewhere."""
    site, still, loaded = Site(folder), folder / "still.db", folder / "loaded.db"
    site.start()
    tell(site)
    tell(site, "-again", share=0.5)
    before = site.floor()
    back_up(site, still)
    with Load(site, "b"):
        time.sleep(0.5)
        back_up(site, loaded)
    site.stop()
    good, said = all(seen(before).values()), [str(seen(before))]
    for backup in (still, loaded):
        found = restored(backup, folder / backup.stem, before)
        good = good and all(found.values())
        said.append(f"{backup.stem}: {told(found)}")
    return good, "; ".join(said)


def back_up(site: Site, path: Path) -> None:
    made = site.command("backup", str(path))
    assert made.returncode == 0, made.stderr


def restored(backup: Path, folder: Path, before: Told) -> dict[str, object]:
    """What holds for the backup in a folder of its own; `before`: a floor before it was made."""
    folder.mkdir()
    other = Site(folder)
    put = other.command("restore", str(backup))
    assert put.returncode == 0, put.stderr
    mode = other.database.stat().st_mode & 0o777
    other.start()
    after = other.floor()
    other.stop()
    with other.copy() as connection:
        whole, calls = is_whole(connection), stored_calls(connection)
    return {
        "both its owner's only": {mode, backup.stat().st_mode & 0o777} == {OWNER_ONLY},
        "whole": whole,
        "calls": len(calls),
        "the floor as it was": follows(before, other),
        "the floor follows from the backup": follows(after, other),
    }


TRIALS = (r2_same_after_kill, r20_restore)
