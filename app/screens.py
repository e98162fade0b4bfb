"""The screens of a floor: one for each audience, made on first use, dropped when long unwatched."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.screen import Screen

KEEP_S = 60.0
# Pages that were only loaded have screens too, which are drawn until they are dropped.
MOST_UNWATCHED = 32

Key = TypeVar("Key")


@dataclass(slots=True)
class Watched(Generic[Key]):
    """A screen, how many watch it and when the last one was seen (monotonic seconds)."""

    screen: Screen
    viewers: int = 0
    seen_at: float = 0.0


class Screens(Generic[Key]):
    """One screen per audience: made and drawn on first use, dropped when long unwatched.

    `draw` fills a fresh screen with the floor as it is now.
    """

    def __init__(
        self,
        make: Callable[[], Screen],
        draw: Callable[[Key, Screen], None],
        keep_s: float = KEEP_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._draw = draw
        self._keep_s = keep_s
        self._monotonic = monotonic
        self._watched: dict[Key, Watched[Key]] = {}

    @property
    def viewers(self) -> int:
        """How many watch, over all audiences."""
        return sum(watched.viewers for watched in self._watched.values())

    def screen(self, key: Key) -> Screen:
        """The audience's screen, whether or not anybody watches yet."""
        return self._entry(key).screen

    @contextmanager
    def watch(self, key: Key) -> Iterator[Screen]:
        """The audience's screen, kept up to date at least until the block ends."""
        entry = self._entry(key)
        entry.viewers += 1
        try:
            yield entry.screen
        finally:
            entry.viewers -= 1
            entry.seen_at = self._monotonic()

    def live(self) -> list[tuple[Key, Screen]]:
        """Every screen to draw on; those that nobody has watched for a while are dropped first."""
        oldest = self._monotonic() - self._keep_s
        self._watched = {
            key: entry
            for key, entry in self._watched.items()
            if entry.viewers or entry.seen_at >= oldest
        }
        return [(key, entry.screen) for key, entry in self._watched.items()]

    def _entry(self, key: Key) -> Watched[Key]:
        entry = self._watched.get(key)
        if entry is None:
            self._make_room()
            entry = self._watched[key] = Watched(self._make())
            self._draw(key, entry.screen)
        entry.seen_at = self._monotonic()
        return entry

    def _make_room(self) -> None:
        """Whoever loads pages of ever new audiences must not slow down everybody's frames."""
        idle = [key for key, entry in self._watched.items() if not entry.viewers]
        idle.sort(key=lambda key: self._watched[key].seen_at)
        for key in idle[: max(0, len(idle) - MOST_UNWATCHED + 1)]:
            del self._watched[key]
