"""What goes wrong on the way: webhooks lost, doubled, late, out of order, or all of them silent."""

import heapq
import random
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields

from app.simulator.wire import Webhook

DUPLICATE_WITHIN = 2.0
REORDER_WITHIN = 1.0


@dataclass(slots=True)
class Faults:
    """Shares are 0 to 1. `delay` is the longest delay in simulated, `api_slow` in real seconds."""

    drop: float = 0.0
    duplicate: float = 0.0
    delay: float = 0.0
    reorder: float = 0.0
    silent: float = 0.0
    api_slow: float = 0.0
    api_error: float = 0.0
    api_garbage: float = 0.0

    def change(self, wanted: dict[str, object]) -> None:
        """Set the named faults; true and false mean 1 and 0. ValueError names what is wrong."""
        known = {field.name for field in fields(self)}
        for name, value in wanted.items():
            if name not in known:
                raise ValueError(f"{name[:40]} is no fault; there are {', '.join(sorted(known))}")
            if not isinstance(value, int | float) or value < 0:
                raise ValueError(f"{name} must be a number of 0 or more, or true or false")
        for name, value in wanted.items():
            setattr(self, name, value)

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


class Line:
    """Webhooks go in as the exchange says them and come out as they are to be sent."""

    def __init__(self, faults: Faults, chance: random.Random) -> None:
        self.faults = faults
        self.counts = {"dropped": 0, "duplicated": 0, "silenced": 0}
        self._chance = chance
        self._serial = 0
        self._late: list[tuple[float, int, Webhook]] = []

    def feed(self, webhooks: Iterable[Webhook]) -> None:
        for webhook in webhooks:
            if self._hits(self.faults.silent):
                self.counts["silenced"] += 1
            elif self._hits(self.faults.drop):
                self.counts["dropped"] += 1
            else:
                self._pass_on(webhook)

    def due(self, now: float) -> list[tuple[float, Webhook]]:
        """What leaves until `now`, with the time at which it leaves."""
        out = []
        while self._late and self._late[0][0] <= now:
            at, _, webhook = heapq.heappop(self._late)
            out.append((at, webhook))
        return out

    def _pass_on(self, webhook: Webhook) -> None:
        at = webhook.at + self._lateness()
        self._put(at, webhook)
        if self._hits(self.faults.duplicate):
            self.counts["duplicated"] += 1
            self._put(at + self._chance.uniform(0.0, DUPLICATE_WITHIN), webhook)

    def _lateness(self) -> float:
        late = self._chance.uniform(0.0, self.faults.delay) if self.faults.delay else 0.0
        if self._hits(self.faults.reorder):
            late += self._chance.uniform(0.0, REORDER_WITHIN)
        return late

    def _put(self, at: float, webhook: Webhook) -> None:
        self._serial += 1
        heapq.heappush(self._late, (at, self._serial, webhook))

    def _hits(self, share: float) -> bool:
        return share > 0 and self._chance.random() < share
