"""What was drawn last, and from what: a value that is as before is not drawn again."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
# {name: (the value, its HTML)}
Drawn = dict[str, tuple[object, str]]


class Memo(Generic[Key]):
    """For each audience the newest HTML of each of its fragments; the oldest audiences go first."""

    def __init__(self, most: int = 16) -> None:
        self._most = most
        self._drawn: dict[Key, Drawn] = {}

    def of(self, audience: Key) -> Drawn:
        """What was drawn for this audience, to look up and to add to."""
        drawn = self._drawn.pop(audience, None)
        # The one used last is at the end.
        self._drawn[audience] = drawn = {} if drawn is None else drawn
        if len(self._drawn) > self._most:
            del self._drawn[next(iter(self._drawn))]
        return drawn


def html_of(drawn: Drawn, name: str, value: object, draw: Callable[[], str]) -> str:
    """The HTML of this value: as it was, or drawn now. `value` holds all that `draw` reads."""
    known = drawn.get(name)
    if known is not None and known[0] == value:
        return known[1]
    html = draw()
    drawn[name] = (value, html)
    return html
