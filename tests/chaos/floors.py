"""A floor as the program told it, held against the events on a disk: all of it, to the second."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from app.domain.days import BusinessDay
from app.domain.floor import Floor
from app.domain.report import floor_report
from app.log.codec import decode
from tests.chaos.site import Site

Told = dict[str, Any]


def follows(told: Told, site: Site) -> bool:
    """What the events of this site's database make, one by one up to that floor's, is that floor.

    The program had it from its memory, or from a snapshot and a tail.
    """
    floor = Floor(BusinessDay(ZoneInfo(site.environ["PITWALL_TIMEZONE"])))
    with site.copy() as connection:
        sql = "SELECT seq, at, kind, body FROM event WHERE seq <= ? ORDER BY seq"
        for seq, at, kind, body in connection.execute(sql, (told["seq"],)):
            floor.apply(seq, at, decode(kind, body))
    # Whoever asks a moment later finds other spans.
    now = round(datetime.fromisoformat(told["as_of"]).timestamp() * 1000)
    report = floor_report(floor.state, now, told["webhooks"]["rejected"])
    return bool(told == msgspec.json.decode(msgspec.json.encode(report)))
