"""The newest HTML of every fragment, with the version at which it changed. No queue per viewer.

A viewer holds one number and asks `since(number)`; what it missed in between is skipped. Nothing
here knows what the fragments mean, and nothing is rendered here.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import takewhile
from types import MappingProxyType

FRAME_S = 0.1
# A frame says what time it is, so an older copy of it would set a viewer's clock wrong.
SHARED_S = 0.2
MOST_SHARED = 32
TOLD_AT_ONCE = 200

NOTHING: Mapping[str, Sequence[str]] = MappingProxyType({})


@dataclass(slots=True)
class Fragment:
    """One element's HTML and the version at which it became so."""

    html: str
    version: int


@dataclass(slots=True)
class Members:
    """The fragments inside one container, in order, and the version at which that changed."""

    ids: tuple[str, ...]
    version: int
    known: frozenset[str]


@dataclass(slots=True, eq=False, weakref_slot=True)
class Screen:
    """What one audience sees. `clock` gives ms since the epoch, `passed` seconds that only pass;
    `build` names the page's version.

    A first change goes out at once, later ones at most every `frame_s` seconds.
    """

    clock: Callable[[], int]
    build: str = ""
    frame_s: float = FRAME_S
    passed: Callable[[], float] = time.monotonic
    version: int = 0
    tick: int = 0
    unsaved: int = 0
    # What changed last comes last, so that a frame costs what it holds, however large the floor.
    _fragments: dict[str, Fragment] = field(default_factory=dict)
    _lists: dict[str, Members] = field(default_factory=dict)
    _pending: bool = False
    _published_at: float = float("-inf")
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _shared: dict[int, tuple[float, str]] = field(default_factory=dict)
    _told: dict[Callable[[], None], None] = field(default_factory=dict)

    def update(
        self,
        fragments: Mapping[str, str],
        lists: Mapping[str, Sequence[str]] = NOTHING,
        tick: int | None = None,
    ) -> None:
        """Keep what is new: {id: html}, {container id: ids of its members in order}, the last tick.

        HTML that is as before is no change. Members that left their container are forgotten.
        """
        changed = [self._keep(name, html) for name, html in fragments.items()]
        changed += [self._arrange(name, tuple(ids)) for name, ids in lists.items()]
        if tick is not None and tick != self.tick:
            self.tick = tick
            changed.append(True)
        if any(changed) and not self._pending:
            self._publish_soon()

    def warn(self, unsaved: int) -> None:
        """Since then (ms) nothing can be saved; 0: it can."""
        if unsaved != self.unsaved:
            self.unsaved = unsaved
            self._publish()

    def since(self, version: int) -> str:
        """One frame with all that is newer than `version`; 0 gives the whole board."""
        now, shared = self.passed(), self._shared.get(version)
        if shared is not None and now - shared[0] <= SHARED_S:
            return shared[1]
        frame = self._frame(version, self.clock())
        if len(self._shared) < MOST_SHARED or version in self._shared:
            self._shared[version] = (now, frame)
        return frame

    async def wait(self, version: int) -> None:
        """Return once there is something newer than `version`."""
        while self.version <= version:
            await self._news.wait()

    @property
    def is_watched(self) -> bool:
        """Somebody is told of news."""
        return bool(self._told)

    def tell(self, listener: Callable[[], None]) -> None:
        """Call it each time that there is something newer, from now on."""
        self._told[listener] = None

    def tell_no_more(self, listener: Callable[[], None]) -> None:
        """It is called no more."""
        self._told.pop(listener, None)

    def html(self, name: str) -> str:
        """A fragment's HTML, or all of a container's members, for a page; empty if unknown."""
        if name in self._lists:
            return self._joined(self._lists[name])
        fragment = self._fragments.get(name)
        return fragment.html if fragment else ""

    @property
    def names(self) -> list[str]:
        """Every container, and every fragment that is in none."""
        members = {name for kept in self._lists.values() for name in kept.ids}
        return [*self._lists, *(name for name in self._fragments if name not in members)]

    def _keep(self, name: str, html: str) -> bool:
        known = self._fragments.get(name)
        if known and known.html == html:
            return False
        self._fragments.pop(name, None)
        self._fragments[name] = Fragment(html, self.version + 1)
        return True

    def _arrange(self, name: str, ids: tuple[str, ...]) -> bool:
        known = self._lists.get(name)
        if known and known.ids == ids:
            return False
        members = frozenset(ids)
        for gone in (known.known if known else frozenset()) - members:
            self._fragments.pop(gone, None)
        self._lists[name] = Members(ids, self.version + 1, members)
        return True

    def _publish_soon(self) -> None:
        wait = self._published_at + self.frame_s - self.passed()
        if self.frame_s == 0 or wait <= 0:
            self._publish()
        else:
            self._pending = True
            asyncio.get_running_loop().call_later(wait, self._publish)

    def _publish(self) -> None:
        self._pending = False
        self._published_at = self.passed()
        self.version += 1
        self._shared.clear()
        waiting, self._news = self._news, asyncio.Event()
        waiting.set()
        if self._told:
            self._tell_all(list(self._told), 0)

    def _tell_all(self, listeners: list[Callable[[], None]], first: int) -> None:
        """Not all at a stretch: thousands of viewers must not hold up a webhook."""
        following = first + TOLD_AT_ONCE
        for listener in listeners[first:following]:
            if listener in self._told:
                listener()
        if len(listeners) > following:
            asyncio.get_running_loop().call_soon(self._tell_all, listeners, following)

    def _frame(self, version: int, now: int) -> str:
        # A container is sent whole when its members or their order changed, and only then: a page
        # that is behind needs what it missed, and the more it got the further it would fall.
        whole = [name for name, kept in self._lists.items() if kept.version > version]
        parts = [_container(name, self._joined(self._lists[name])) for name in whole]
        parts += [
            _single(fragment.html)
            for name, fragment in self._changed_since(version)
            if not any(name in self._lists[container].known for container in whole)
        ]
        return "".join(parts) + self._marker(now)

    def _changed_since(self, version: int) -> list[tuple[str, Fragment]]:
        newest_first = reversed(self._fragments.items())
        return list(takewhile(lambda item: item[1].version > version, newest_first))[::-1]

    def _joined(self, members: Members) -> str:
        kept = (self._fragments.get(name) for name in members.ids)
        return "".join(fragment.html for fragment in kept if fragment)

    def _marker(self, now: int) -> str:
        """The last element of every frame: a page checks itself and its clock against it."""
        counts = " ".join(f"{name}:{len(kept.ids)}" for name, kept in self._lists.items())
        unsaved = f' data-unsaved="{self.unsaved}"' if self.unsaved else ""
        return (
            f'<i id="beat" hidden hx-swap-oob="outerMorph" data-version="{self.version}"'
            f' data-now="{now}" data-tick="{self.tick}" data-counts="{escape(counts)}"'
            f' data-build="{escape(self.build)}"{unsaved}></i>'
        )


def _container(name: str, html: str) -> str:
    return f'<hx-partial hx-target="#{name}" hx-swap="innerMorph">{html}</hx-partial>'


def _single(html: str) -> str:
    tag, rest = html.split(" ", 1)
    return f'{tag} hx-swap-oob="outerMorph" {rest}'
