"""R7: the database is damaged. It is moved aside, the newest good backup or an empty one serves."""

import argparse
import struct
from collections.abc import Callable
from pathlib import Path

from tests.chaos.site import Site, stored_calls
from tests.chaos.verdict import Judged, told


def zero_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\0" * 100)


def garbage_page(path: Path) -> None:
    """Every page of the middle, so that one in use is among them."""
    pages = path.stat().st_size // 4096
    with path.open("r+b") as file:
        for page in range(max(1, pages // 4), pages):
            file.seek(page * 4096)
            file.write(b"\xa5" * 4096)


def cut_in_half(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 8192 * 4096)


def text_instead(path: Path) -> None:
    path.write_bytes(b"dear diary\n" * 1000)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "zero header": zero_header,
    "garbage pages": garbage_page,
    "cut in half": cut_in_half,
    "text instead": text_instead,
}


def damaged(folder: Path, damage: Callable[[Path], None], with_backup: bool) -> dict[str, object]:
    """Damage a database that was stopped; start again; what is left of 30 + 5 calls?"""
    site = Site(folder)
    live_through_thirty_calls(site, with_backup)
    for number in range(5):
        assert site.hook(f"new{number}") == 200
    site.stop()
    damage(site.database)
    return after_a_start(site) | {"said": "The database was damaged" in site.said}


def live_through_thirty_calls(site: Site, with_backup: bool) -> None:
    """It runs then; a backup that was made holds all of them."""
    site.start()
    for number in range(30):
        assert site.hook(f"old{number}") == 200
    if with_backup:
        (site.folder / "backups").mkdir()
        made = site.command("backup", str(site.folder / "backups" / "pitwall-20260101-030000.db"))
        assert made.returncode == 0, made.stderr


def after_a_start(site: Site) -> dict[str, object]:
    """What becomes of the damaged database of a site that is stopped, and of its calls."""
    content = site.database.read_bytes()
    started_s = site.start()
    works = site.hook("after")
    site.stop()
    with site.copy() as connection:
        stored = stored_calls(connection)
    return {
        "started after, s": round(started_s, 1),
        "works": works == 200,
        "moved aside unchanged": aside_of(site.folder).read_bytes() == content,
        "old calls left": sum(call.startswith("old") for call in stored),
    }


def aside_of(folder: Path) -> Path:
    """The one damaged database that was moved aside."""
    beside = (".lock", "-wal", "-shm")
    found = folder.glob("pitwall.db.damaged-*")
    [aside] = [each for each in found if not each.name.endswith(beside)]
    return aside


def strange_wal(folder: Path) -> dict[str, object]:
    """The write-ahead log of another database lies beside this one."""
    one, other = folder / "one", folder / "other"
    sites = []
    for place in (one, other):
        place.mkdir()
        site = Site(place)
        site.start()
        for number in range(20):
            assert site.hook(f"{place.name}{number}") == 200
        sites.append(site)
    sites[0].stop()
    sites[1].kill()
    wal = (other / "pitwall.db-wal").read_bytes()
    (one / "pitwall.db-wal").write_bytes(wal)
    sites[0].start()
    works = sites[0].hook("after")
    sites[0].stop()
    with sites[0].copy() as connection:
        sound = connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        stored = stored_calls(connection)
    return {
        "pages of the strange log": (len(wal) - 32) // (24 + struct.unpack_from(">I", wal, 8)[0]),
        "works": works == 200,
        "whole": sound,
        "said": "The database was damaged" in sites[0].said or len(stored) == 21,
    }


def r7_damaged(folder: Path, options: argparse.Namespace) -> Judged:
    good, said = True, []
    for name, damaging in list(DAMAGES.items())[: options.damages]:
        for with_backup in (True, False):
            place = folder / f"{name}-{with_backup}"
            place.mkdir()
            found = damaged(place, damaging, with_backup)
            left = 30 if with_backup else 0
            good = good and bool(
                found["works"]
                and found["moved aside unchanged"]
                and found["said"]
                and found["old calls left"] == left
            )
            kept = "from the backup" if with_backup else "empty"
            said.append(f"{name}, {kept}: up after {found['started after, s']} s")
    return good, "; ".join(said)


def r7_strange_wal(folder: Path, options: argparse.Namespace) -> Judged:
    found = strange_wal(folder)
    return bool(found["works"] and found["whole"] and found["said"]), told(found)


TRIALS = (r7_damaged, r7_strange_wal)
