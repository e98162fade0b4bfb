"""What needs an administrator's attention now, each concern by its kind; the page has the words."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from app.keeping.room import little_room
from app.keeping.upkeep import Upkeep
from app.pbx.clock_difference import clock_difference
from app.peers import address_of, source_of
from app.web.admin.webhooks import working_previous
from app.web.origin import is_readable_on_the_way
from app.web.parts import Parts

SILENCE_MS = 15 * 60_000
LATELY_MS = 60 * 60_000
MOST_BEHIND_S = 10
# So many webhooks from one private address are no coincidence.
MANY = 20


@dataclass(frozen=True, slots=True)
class Concern:
    """One of them. `is_bad`: something does not work; else it is worth a look. Times in ms."""

    kind: str
    path: str
    is_bad: bool = False
    values: dict[str, object] = field(default_factory=dict)


def concerns(parts: Parts) -> list[Concern]:
    """All of them, the bad ones first."""
    found = [*_pbx(parts), *_webhooks(parts), *_strangers(parts), *_ground(parts)]
    return sorted(found, key=lambda concern: not concern.is_bad)


def _pbx(parts: Parts) -> Iterator[Concern]:
    state, settings = parts.floor.state, parts.settings
    if not (settings.pbx_url and settings.pbx_key):
        yield Concern("pbx unconfigured", "/admin/pbx")
    elif state.reconciled.error:
        yield Concern("pbx failing", "/admin/pbx", True, {"sentence": state.reconciled.error})
    if unreadable := sum(answer.times for answer in parts.pbx.unreadable):
        yield Concern("unreadable", "/admin/pbx", values={"count": unreadable})
    if state.conflicts:
        yield Concern("conflicts", "/admin/drift", values={"count": len(state.conflicts)})


def _webhooks(parts: Parts) -> Iterator[Concern]:
    last_at, now = parts.floor.state.webhooks.last_at, parts.clock()
    if last_at is None:
        yield Concern("no webhook", "/admin/webhooks", True)
    elif now - last_at > SILENCE_MS:
        yield Concern("silence", "/diagnostics", True, {"at": last_at})
    previous = working_previous(parts)
    if previous and previous.used_at:
        values: dict[str, object] = {"at": previous.used_at, "until": previous.expires_at}
        yield Concern("previous token", "/admin/webhooks", values=values)
    yield from _other_clock(parts)
    if source := _one_private_source(parts):
        yield Concern("one address", "/admin/webhooks", values={"address": source})
    for what, count in parts.floor.state.overflow.items():
        yield Concern("overflow", "/diagnostics", True, {"what": what, "count": count})
    refused = [row for row in parts.journal.rejected if row.seq is None]
    if lately := sum(now - row.at < LATELY_MS for row in refused):
        yield Concern("refused", "/diagnostics", values={"count": lately})


def _other_clock(parts: Parts) -> Iterator[Concern]:
    zone = parts.settings.timezone
    newest = ((each.at, each.parameters) for each in reversed(parts.journal.received))
    if minutes := clock_difference(newest, zone):
        values: dict[str, object] = {"minutes": minutes, "zone": zone.key}
        yield Concern("other clock", "/diagnostics", True, values)


def _one_private_source(parts: Parts) -> str:
    """The address of a proxy that hides all others, if it looks like one; else ""."""
    if parts.settings.trusted_proxy:
        # Whom it speaks for is known, and that is who is seen.
        return ""
    received = parts.journal.received
    sources = {source_of(each.peer) for each in received} if len(received) >= MANY else set()
    if len(sources) != 1:
        return ""
    address = address_of(received[0].peer)
    return sources.pop() if address is not None and address.is_private else ""


def _strangers(parts: Parts) -> Iterator[Concern]:
    for kind, counts in (
        ("wrong token", parts.journal.wrong_tokens),
        ("bare", parts.journal.bare),
        ("unparsable", parts.journal.unparsable),
    ):
        newest = counts.newest()
        if newest and parts.clock() - newest[0][1].last_at < LATELY_MS:
            address, seen = newest[0]
            values: dict[str, object] = {"address": address, "at": seen.last_at}
            yield Concern(kind, "/diagnostics", values=values)


def _ground(parts: Parts) -> Iterator[Concern]:
    path = parts.settings.database
    if path == ":memory:":
        yield Concern("memory", "/admin")
    elif (free := little_room(Path(path).parent)) is not None:
        yield Concern("disk", "/admin", True, {"mebibytes": free // 1024**2})
    if parts.log.failure:
        yield Concern("not saved", "/admin", True, {"sentence": parts.log.failure})
    if parts.tables.failure:
        yield Concern("apart", "/admin", True, {"sentence": parts.tables.failure})
    yield from _found(parts.upkeep)
    if parts.journal.unstored:
        yield Concern("unstored", "/diagnostics", values={"count": parts.journal.unstored})
    if is_readable_on_the_way(parts.settings.public_url):
        yield Concern("plain http", "/admin", values={"url": parts.settings.public_url})


def _found(upkeep: Upkeep) -> Iterator[Concern]:
    if upkeep.found:
        yield Concern("found", "/admin", True, {"sentence": upkeep.found})
    if (seconds := upkeep.clock_behind_ms // 1000) >= MOST_BEHIND_S:
        yield Concern("clock", "/admin", True, {"seconds": seconds})
    for name in upkeep.damaged:
        yield Concern("damaged", "/admin", True, {"name": name})
    if upkeep.failure:
        yield Concern("no backup", "/admin", True, {"sentence": upkeep.failure})
