"""How fast somebody may guess. In memory, bounded, and never a permanent lock."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address, ip_network
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")

FREE_FAILURES = 5
LONGEST_DELAY_S = 15 * 60
FORGIVEN_AFTER_S = 60 * 60
PER_MINUTE = 20
REMEMBERED = 10_000


@dataclass(slots=True)
class _Failures:
    count: int = 0
    until: float = 0.0


@dataclass(slots=True)
class _Minute:
    began: float
    count: int = 0


class Attempts:
    """Failures per (account, network) delay that pair; an address has so many tries a minute.

    Because the pair is delayed and not the account, an outsider who fails all day does not keep the
    real user out. `monotonic` is a clock in seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self._failures: OrderedDict[tuple[str, str], _Failures] = OrderedDict()
        self._minutes: OrderedDict[str, _Minute] = OrderedDict()

    def wait_s(self, account: str, address: str) -> int:
        """Count one try and say how many seconds it comes too early; 0 lets it through.

        The try counts as failed until `succeeded`: a hundred guesses at once are a hundred.
        """
        too_many = self.too_many(address)
        if too_many:
            return too_many
        failures = self._of((account, network(address)))
        left = failures.until - self._now()
        if left > 0:
            return int(left) + 1
        self._count(failures)
        return 0

    def succeeded(self, account: str, address: str) -> None:
        self._failures.pop((account, network(address)), None)

    def too_many(self, address: str, limit: int = PER_MINUTE) -> int:
        """Count one request of this address; seconds until it may come again, 0 for now."""
        minute = self._minutes.setdefault(address, _Minute(self._now()))
        self._minutes.move_to_end(address)
        _trim(self._minutes)
        if self._now() - minute.began >= 60:
            minute.began, minute.count = self._now(), 0
        minute.count += 1
        return 0 if minute.count <= limit else int(minute.began + 60 - self._now()) + 1

    def _of(self, key: tuple[str, str]) -> _Failures:
        failures = self._failures.setdefault(key, _Failures())
        self._failures.move_to_end(key)
        _trim(self._failures)
        return failures

    def _count(self, failures: _Failures) -> None:
        if self._now() - failures.until > FORGIVEN_AFTER_S:
            failures.count = 0
        failures.count += 1
        beyond = failures.count - FREE_FAILURES
        delay = min(2 ** min(beyond, 10), LONGEST_DELAY_S) if beyond >= 0 else 0
        failures.until = self._now() + delay


def _trim(kept: OrderedDict[K, V]) -> None:
    while len(kept) > REMEMBERED:
        kept.popitem(last=False)


def network(address: str) -> str:
    """The neighbourhood of an address: /24 or /64, or the text itself where it is no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    mapped = None if isinstance(parsed, IPv4Address) else parsed.ipv4_mapped
    host = mapped or parsed
    return str(ip_network(f"{host}/{24 if host.version == 4 else 64}", strict=False))
