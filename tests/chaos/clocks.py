"""R8: the clock is set while Pitwall runs (libfaketime): calls go on, nobody is signed out."""

import argparse
import time
from pathlib import Path
from typing import cast

from tests.chaos.site import Site, ring
from tests.chaos.verdict import Judged, skipped, told
from tests.chaos.viewer import sign_in, still_signed_in

PLACES = ("/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime")


def library() -> Path | None:
    """Where libfaketime is, if it is."""
    found = (Path(place) / "libfaketime.so.1" for place in PLACES)
    return next((each for each in found if each.exists()), None)


def jumped(folder: Path, jump: str, seconds: float = 11.0) -> dict[str, object]:
    """Set the clock by `jump` (like +1d, -3600) during a call, and look after some seconds."""
    now = folder / "clock"
    now.write_text("+0\n")
    site = Site(
        folder,
        LD_PRELOAD=str(library()),
        FAKETIME_TIMESTAMP_FILE=str(now),
        FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
    )
    site.start()
    cookie = sign_in(site)
    assert site.status(ring("long", "101", "ANSWER")) == 200
    before = answered_for(site)
    began = time.monotonic()
    now.write_text(f"{jump}\n")
    time.sleep(seconds)
    after = answered_for(site)
    error_s = after - before - (time.monotonic() - began)
    signed_in, ready = still_signed_in(site, cookie), site.status("/health/ready")
    webhook = site.hook("another")
    site.stop()
    return {
        "jump": jump,
        "the call goes on": after > 0,
        "error of its length, s": round(error_s, 2),
        "still signed in": signed_in,
        "ready": ready == 200,
        "webhooks stored": webhook == 200,
    }


def answered_for(site: Site) -> float:
    """How long agent 101 has been in the status talk by the server's own reckoning, in seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for agent in site.floor()["agents"]:
            if agent["extension"] == "101" and agent["status"] == "talk":
                return float(agent["today"]["talk_s"])
        time.sleep(0.05)
    return 0.0


def r8_clock(folder: Path, options: argparse.Namespace) -> Judged:
    if library() is None:
        return skipped("there is no libfaketime here; on Debian: apt-get install faketime")
    good, said = True, []
    for jump in options.jumps:
        place = folder / jump
        place.mkdir()
        found = jumped(place, jump)
        said.append(told(found))
        off_s = abs(cast(float, found.pop("error of its length, s")))
        good = good and off_s <= 5 and all(found.values())
    return good, "; ".join(said)


TRIALS = (r8_clock,)
