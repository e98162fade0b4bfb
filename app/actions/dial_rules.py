"""What may be dialled for a supervisor, and how often: a stolen session must not cost a fortune."""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

WRITTEN = re.compile(r"[ ().\-/]")
NUMBER = re.compile(r"\+?[0-9]{3,20}", re.ASCII)
# Satellite, maritime, premium-rate and "international network" prefixes: toll fraud's favourites.
NEVER = ("+870", "+881", "+882", "+883", "+979", "00870", "00881", "00882", "00883", "00979")

PER_PERSON = 10
PER_PERSON_S = 60.0
PER_SITE = 100
PER_SITE_S = 3600.0


@dataclass(frozen=True, slots=True)
class DialRules:
    """`allowed` are beginnings, one of which the number must have; none: all but `never`."""

    allowed: tuple[str, ...] = ()
    never: tuple[str, ...] = NEVER

    def allow(self, number: str) -> bool:
        """Whether this number (see `plain_number`) may be dialled."""
        if number.startswith(self.never):
            return False
        return not self.allowed or number.startswith(self.allowed)


def plain_number(text: str) -> str:
    """The number without what people write between digits; "" when it is no number."""
    number = WRITTEN.sub("", text.strip())
    return number if NUMBER.fullmatch(number) else ""


class DialRates:
    """Counts calls in sliding windows: each person's clicks, and what the site really dialled."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self._people: dict[int, deque[float]] = {}
        self._site: deque[float] = deque()

    def wait_s(self, user_id: int) -> int:
        """Count one click; 0 when it may go on, else the seconds until it may."""
        clicks = self._people.setdefault(user_id, deque())
        if wait := max(
            self._wait(clicks, PER_PERSON, PER_PERSON_S),
            self._wait(self._site, PER_SITE, PER_SITE_S),
        ):
            return wait
        clicks.append(self._now())
        return 0

    def dialled(self) -> None:
        """The PBX is about to be asked."""
        self._site.append(self._now())

    def _wait(self, times: deque[float], most: int, span_s: float) -> int:
        now = self._now()
        while times and now - times[0] >= span_s:
            times.popleft()
        return int(span_s - (now - times[0])) + 1 if len(times) >= most else 0
