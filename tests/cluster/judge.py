"""What the log holds at the end, against what was acknowledged: lost, doubled, moved."""

import asyncio
from collections import Counter
from dataclasses import dataclass

from app.clock import wall_ms
from app.domain.events import CallEnded, CallRinging, Event
from app.log import Record
from app.log.address import Address
from app.log.cluster import Cluster
from tests.cluster.load import Acknowledged


@dataclass(frozen=True)
class Judged:
    """Of all sites together. `moved`: the log has it at another seq than was answered."""

    acknowledged: int
    lost: int
    doubled: int
    moved: int
    gaps: int

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.doubled or self.moved or self.gaps)

    def __str__(self) -> str:
        return (
            f"{self.acknowledged} acknowledged, {self.lost} lost, {self.doubled} doubled, "
            f"{self.moved} moved, {self.gaps} gaps in the seqs"
        )


async def judge(url: str, acknowledged: dict[str, list[Acknowledged]]) -> Judged:
    """Read every site's whole log."""
    cluster = await Cluster.open(Address.parse(url), wall_ms)
    try:
        stored = {site: await records_of(cluster, site) for site in acknowledged}
    finally:
        await cluster.close()
    found = [_judged(acknowledged[site], stored[site]) for site in acknowledged]
    return Judged(*(sum(values) for values in zip(*found, strict=True)))


async def records_of(cluster: Cluster, site: str) -> list[Record]:
    """The site's whole log."""
    log = await cluster.site_log(site)
    records: list[Record] = []
    if log.last_seq:
        async with asyncio.timeout(120):
            async for batch in log.follow(0):
                records += batch
                if records[-1].seq >= log.last_seq:
                    break
    await log.close()
    return records


def _judged(acknowledged: list[Acknowledged], records: list[Record]) -> tuple[int, ...]:
    places: dict[tuple[str, str], int] = {}
    times: Counter[tuple[str, str]] = Counter()
    for record in records:
        if told := _told(record.event):
            places.setdefault(told, record.seq)
            times[told] += 1
    return (
        len(acknowledged),
        sum((one.callid, one.event) not in places for one in acknowledged),
        sum(count > 1 for count in times.values()),
        sum(places.get((one.callid, one.event), one.seq) != one.seq for one in acknowledged),
        sum(record.seq != place for place, record in enumerate(records, 1)),
    )


def _told(event: Event) -> tuple[str, str] | None:
    if isinstance(event, CallRinging):
        return event.callid, "RING"
    if isinstance(event, CallEnded):
        return event.callid, "HANGUP"
    return None
