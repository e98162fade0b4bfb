"""What the PBX says: the webhooks, and the order in which simultaneous ones leave."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.simulator.engine import Engine

CALL_IN = "/api/callcenter/call_in"
HANGUP = "/api/callcenter/hangup"
CALLDATA = "/api/callcenter/calldata"
INIT = "/api/callcenter/init"
CHANGE_STATUS = "/api/Agent/ChangeStatus"


@dataclass(slots=True)
class Webhook:
    """One push. `at` is simulated epoch seconds; `source` is the exchange's own event behind it."""

    at: float
    path: str
    params: dict[str, str]
    source: str


class Wire:
    """Collects webhooks and stamps them; what is said inside `mixed()` leaves in any order."""

    def __init__(self, engine: Engine, chance: random.Random) -> None:
        self._engine = engine
        self._chance = chance
        self._last = 0.0
        self._mixing: list[Webhook] | None = None
        self._said: list[Webhook] = []
        self.count = 0

    def say(self, path: str, params: dict[str, str], source: str) -> None:
        webhook = Webhook(0.0, path, params, source)
        if self._mixing is None:
            self._send(webhook)
        else:
            self._mixing.append(webhook)

    @contextmanager
    def mixed(self) -> Iterator[None]:
        batch: list[Webhook] = []
        self._mixing = batch
        yield
        self._mixing = None
        self._chance.shuffle(batch)
        for webhook in batch:
            self._send(webhook)

    def take(self) -> list[Webhook]:
        said, self._said = self._said, []
        return said

    def _send(self, webhook: Webhook) -> None:
        # A real exchange needs some tenths of a millisecond for each.
        self._last = max(self._last, self._engine.now) + self._chance.random() * 0.0004
        webhook.at = self._last
        self.count += 1
        self._said.append(webhook)
