"""How often which address did something, for addresses that nobody vouches for. Bounded."""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

ADDRESSES = 1_000
MINUTE_MS = 60_000


@dataclass(slots=True)
class Seen:
    """What one address did: in all, in the minute since `minute_at`, and when last (ms, UTC).

    `sample` is what it sent last, as far as it may be told.
    """

    count: int
    minute_at: int
    in_minute: int
    last_at: int
    sample: str = ""


class PeerCounts:
    """Counts per address; the thousand seen last are kept, `total` counts the forgotten too."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, Seen] = OrderedDict()
        self.total = 0

    def add(self, peer: str) -> int:
        """Count one; return how many this address did within the present minute."""
        now, source = self._clock(), source_of(peer)
        seen = self._seen.setdefault(source, Seen(0, now, 0, now))
        self._seen.move_to_end(source)
        if now - seen.minute_at >= MINUTE_MS:
            seen.minute_at, seen.in_minute = now, 0
        seen.count, seen.in_minute, seen.last_at = seen.count + 1, seen.in_minute + 1, now
        self.total += 1
        if len(self._seen) > ADDRESSES:
            self._seen.popitem(last=False)
        return seen.in_minute

    def newest(self) -> list[tuple[str, Seen]]:
        """Addresses with their counts, the one seen last first."""
        return list(reversed(self._seen.items()))


@lru_cache(maxsize=ADDRESSES)
def address_of(peer: str) -> IPAddress | None:
    """The TCP peer as an address; an IPv4 one that came over IPv6 is unwrapped."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


@lru_cache(maxsize=ADDRESSES)
def source_of(peer: str) -> str:
    """Whom to hold responsible: an IPv4 address, or the /64 that one IPv6 customer has."""
    address = address_of(peer)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address or peer[:64])


def is_allowed(peer: str, networks: Sequence[IPNetwork]) -> bool:
    """The peer is in one of `networks`."""
    address = address_of(peer)
    return address is not None and any(address in network for network in networks)
