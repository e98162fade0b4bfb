"""Which streams and subjects an installation has on its NATS servers.

- `NAME-p<k>` with a subject `NAME.p<k>.<site>` for each site of partition k: their events.
- `NAME-sys` with `NAME.sys.<site>`: what nodes share beside events, kept for ever. It was there
  first, and says in how many partitions the installation is.
- `NAME-marks` with `NAME.marks.<site>`, where events go by age: how far the seqs have got.
- `NAME-lease` with `NAME.lease.<name>`: who owns what, until the message's time is over.
"""

import re
import zlib

from nats.js import api

from app.log.address import Address

REPEAT_S = 120
DAY_S = 86_400
PARTITIONS = "pitwall_partitions"
SYSTEM = "sys"
LEASES = "lease"
MARKS = "marks"
SITE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def partition_of(site: str, partitions: int) -> int:
    """The same for every node and version: sites stay where they are."""
    return zlib.crc32(site.encode()) % partitions


def events_stream(address: Address, partition: int) -> api.StreamConfig:
    """The stream of a partition, from which nothing goes but by age."""
    config = _stream(address, f"p{partition}")
    config.max_age = address.days * DAY_S
    return config


def system_stream(address: Address) -> api.StreamConfig:
    """The stream that tells how many partitions there are."""
    config = _stream(address, SYSTEM)
    config.metadata = {PARTITIONS: str(address.partitions)}
    return config


def marks_stream(address: Address) -> api.StreamConfig:
    """The newest mark of each site."""
    config = _stream(address, MARKS)
    config.max_msgs_per_subject = 1
    return config


def lease_stream(address: Address) -> api.StreamConfig:
    """One message for each lease, which ends by itself or is deleted by its holder."""
    config = _stream(address, LEASES)
    config.deny_delete = config.deny_purge = False
    config.max_msgs_per_subject = 1
    config.allow_msg_ttl = True
    return config


def _stream(address: Address, part: str) -> api.StreamConfig:
    return api.StreamConfig(
        name=f"{address.name}-{part}",
        subjects=[f"{address.name}.{part}.*"],
        storage=api.StorageType.FILE,
        num_replicas=len(address.servers),
        duplicate_window=REPEAT_S,
        max_age=0,
        deny_delete=True,
        deny_purge=True,
        allow_direct=True,
    )
