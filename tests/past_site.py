"""The running application with a day behind it, and people of several scopes who look at it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from httpx2 import Response

from app.domain.events import Event
from app.rights import Role
from tests.building import PASSWORD, Building, opened_building, signed_in
from tests.history_setup import NINE, of_story
from tests.logs import Clock

HOUR_MS = 3_600_000
HOST = "pbx.example.test"
RECORDING = f"https://{HOST}/rec/1.wav"
OURS = {"Sec-Fetch-Site": "same-origin", "HX-Request": "true"}
# Whose number is 090 and the digits: 6345678 is 0906345678.
DAY = (
    "101 on, 102 on, 1 rings 101 in 900, +12s, 1 answered 101 in 900, +30s, 1 hangs up, "
    "1 record ANSWER 101 42/30, 6345678 waits in 900, +8s, 6345678 abandons 900 after 8, "
    "6345678 hangs up, 3 rings 102 in 901, +3s, 3 answered 102 in 901, +20s, 3 hangs up, +2m"
)


class PastSite:
    """The building, its clock, and what can be asked of it."""

    def __init__(self, building: Building, clock: Clock) -> None:
        self.building = building
        self.clock = clock
        self.add("scoped", Role.SUPERVISOR, queues=frozenset({"901"}))
        self.add("second", Role.SUPERVISOR, extension="202")

    def add(self, name: str, role: Role, **details: Any) -> None:
        """Another person, signed in."""
        access = self.building.access

        async def added() -> dict[str, str]:
            await access.accounts.create_user(name, role, PASSWORD, **details)
            return await signed_in(access, name)

        self.building.keys[name] = self.building.call(added)

    def tell(self, *story: str) -> None:
        """Let it happen, at its own times, and be in the tables."""
        for at, event in of_story(*story):
            self.clock.now = max(self.clock.now, at)
            self.append([event])

    def append(self, events: Sequence[Event]) -> None:
        parts = self.building.parts
        seq = self.building.call(parts.log.append, events)
        self.building.call(parts.projector.wait_for, seq)
        self.building.call(parts.history.wait_for, seq)

    def get(self, path: str, who: str = "supervisor") -> Response:
        return self._ask("GET", path, who)

    def post(self, path: str, who: str = "supervisor", **fields: str) -> Response:
        return self._ask("POST", path, who, data=fields)

    def _ask(self, method: str, path: str, who: str, **more: Any) -> Response:
        client = self.building.client
        client.cookies.clear()
        headers = {**OURS, **self.building.keys[who]}
        return client.request(method, path, headers=headers, follow_redirects=False, **more)

    def audited(self) -> list[tuple[str, str]]:
        """(kind, action) of the audit's rows, the newest first."""
        rows = self.building.call(self.building.access.audit.page)
        return [(row.kind, row.action) for row in rows]


@contextmanager
def past_site(folder: Path, **more: str) -> Iterator[PastSite]:
    """A site after DAY; `more` are settings of the environment."""
    clock = Clock(NINE + HOUR_MS)
    with opened_building(folder, clock, PITWALL_RECORDING_HOSTS=HOST, **more) as building:
        site = PastSite(building, clock)
        site.tell(DAY)
        yield site
