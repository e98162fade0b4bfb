"""The logs of many sites on NATS servers: one connection, a stream for each partition of sites.

A site is in the partition that its name falls into, whoever asks, so how many there are is fixed
when the installation is made.
"""

import asyncio
from collections.abc import Callable
from typing import Self

from nats.aio.client import Client
from nats.js import api

from app.log import LogUnavailable, layout
from app.log.address import Address
from app.log.jetstream import JetStreamLog
from app.log.lease import TTL_S, Lease
from app.log.marks import Mark
from app.log.partition import Partition
from app.log.servers import check_syncing, connect, disconnect
from app.log.stream import BROKEN, Stream

OTHER_PARTITIONS = (
    "The installation '{name}' on the NATS servers has its sites in {told} partitions, and "
    "PITWALL_LOG says {wanted}. The number can't change: write ?partitions={told}."
)
OLDER = (
    "The stream {name}-p0 on the NATS servers was made by an older version, which knew no sites; "
    "this one does not continue it. Write another ?name=… into PITWALL_LOG, or delete the stream."
)


class Cluster:
    """Open logs end with it. Whatever asks the servers raises LogUnavailable."""

    def __init__(self, client: Client, address: Address, clock: Callable[[], int]) -> None:
        self._client = client
        self._address = address
        self._clock = clock
        self._parts: dict[str, Partition] = {}
        self._streams: dict[str, Stream] = {}
        self._held: list[Lease] = []
        self._making = asyncio.Lock()

    @classmethod
    async def open(cls, address: Address, clock: Callable[[], int]) -> Self:
        """The installation at this address, made if there is none; `clock` tells ms, UTC.

        Raises LogUnavailable, for servers too that acknowledge before they sync.
        """
        await check_syncing(address)
        client = await connect(address)
        try:
            await _check_newer(client, address)
            system = layout.system_stream(address)
            _check_partitions(address, await Stream(client, system).open())
        except BaseException:
            await disconnect(client)
            raise
        return cls(client, address, clock)

    @property
    def partitions(self) -> int:
        """How many there are; they count from 0."""
        return self._address.partitions

    def partition_of(self, site: str) -> int:
        """The partition in which this site is."""
        return layout.partition_of(site, self.partitions)

    async def site_log(self, site: str, clock: Callable[[], int] | None = None) -> JetStreamLog:
        """The log of this site's events, by a clock of its own if that is given.

        Raises LogDamaged too; ValueError for no site's name.
        """
        part = self._part(layout.events_stream(self._address, self.partition_of(_name(site))))
        if not part.stream.ages:
            return await part.open(site, clock=clock)
        marks = await self._stream(layout.marks_stream(self._address))
        return await part.open(site, Mark(marks, marks.subject_of(site)), clock)

    async def sys_log(self, site: str) -> JetStreamLog:
        """The log of what this site's nodes share beside events. Raises as `site_log` does."""
        return await self._part(layout.system_stream(self._address)).open(_name(site))

    async def lease(self, name: str, holder: str, ttl_s: float = TTL_S) -> Lease:
        """The lease of this name, once it is ours: it waits for its holder to go, however long."""
        leases = await self._stream(layout.lease_stream(self._address))
        lease = Lease(leases, leases.subject_of(_name(name)), holder, ttl_s)
        await lease.acquire()
        self._held = [*(each for each in self._held if each.is_held), lease]
        return lease

    async def close(self) -> None:
        """Let others have our leases, finish what was appended, and let go of the servers."""
        for lease in self._held:
            await lease.release()
        for part in self._parts.values():
            await part.close()
        await disconnect(self._client)

    def _part(self, wanted: api.StreamConfig) -> Partition:
        if (name := str(wanted.name)) not in self._parts:
            self._parts[name] = Partition(self._client, wanted, self._clock)
        return self._parts[name]

    async def _stream(self, wanted: api.StreamConfig) -> Stream:
        async with self._making:
            if (name := str(wanted.name)) not in self._streams:
                stream = Stream(self._client, wanted)
                await stream.open()
                self._streams[name] = stream
            return self._streams[name]


async def _check_newer(client: Client, address: Address) -> None:
    """Before there were sites, all events were in one stream, on one subject."""
    try:
        info = await client.jetstream().stream_info(f"{address.name}-p0")
    except BROKEN:
        # There is none, or nobody answers yet: whoever opens a stream next waits for that.
        return
    if info.config.subjects == [f"{address.name}.p0"]:
        raise LogUnavailable(OLDER.format(name=address.name))


def _check_partitions(address: Address, told: api.StreamInfo) -> None:
    partitions = (told.config.metadata or {}).get(layout.PARTITIONS, "?")
    if partitions != str(address.partitions):
        raise LogUnavailable(
            OTHER_PARTITIONS.format(name=address.name, told=partitions, wanted=address.partitions)
        )


def _name(site: str) -> str:
    if not layout.SITE.fullmatch(site):
        raise ValueError(f"'{site}' is no name of a site: a-z, 0-9 and - are expected.")
    return site
