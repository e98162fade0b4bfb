"""What a node can't store, because others are always quicker, one of those stores for it.

A message is stored only by who knew the one before it. Where several nodes write to one site all
the time, the one that is nearest to the stream's leader always knows first, and a far one might
never have its turn. It asks then, by a message that nobody keeps. Who has just stored something
appends what it is asked for under the same `rid`, so that it is there once, whoever stores it; and
who asked finds it in the log, like all that others store.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from app.domain.events import Event
from app.log import LogDamaged, LogUnavailable
from app.log.codec import EventUnreadable, decode
from app.log.commits import Waiting
from app.log.message import read, written
from app.log.stream import BROKEN

# Overtaken so often in a row, it is no chance any more.
OVERTAKEN = 3
JUST_NOW_S = 2.0
SUBJECT = "relief.{}"

logger = logging.getLogger(__name__)


class Relief:
    """One log's, whose messages are on `subject`. `append` is the log's."""

    def __init__(
        self,
        client: Client,
        subject: str,
        append: Callable[[Sequence[Event], str | None], Awaitable[int]],
    ) -> None:
        self._client = client
        self._subject = subject
        self._append = append
        self._overtaken = 0
        self._stored_at = -math.inf
        self._giving: set[asyncio.Task[None]] = set()

    def note_stored(self) -> None:
        """A message of ours is stored."""
        self._overtaken, self._stored_at = 0, time.monotonic()

    def note_overtaken(self) -> None:
        """Another's is where ours should be."""
        self._overtaken += 1

    async def ask(self, entries: Sequence[Waiting]) -> None:
        """Ask for these appends, if we are always overtaken; go on trying all the same."""
        if self._overtaken >= OVERTAKEN:
            with suppress(*BROKEN):
                # Seq and time are the log's affair: whoever stores it gives new ones.
                await self._client.publish(SUBJECT.format(self._subject), written(entries, 1, 0))

    def give(self, body: bytes) -> None:
        """Another node asks; who is overtaken itself can't help."""
        has_turns = time.monotonic() - self._stored_at < JUST_NOW_S
        if not has_turns or self._overtaken >= OVERTAKEN:
            return
        for rid, events in _asked_for(body):
            task = asyncio.create_task(self._store(events, rid))
            self._giving.add(task)
            task.add_done_callback(self._giving.discard)

    async def _store(self, events: Sequence[Event], rid: str) -> None:
        # Who asked tries as well, and says so where nobody could.
        with suppress(LogUnavailable):
            await self._append(events, rid)


async def listen(client: Client, subject: str, hear: Callable[[str, bytes], Any]) -> Subscription:
    """From now on, what other nodes ask for: the subject of their log, and for `give`."""

    async def pass_on(message: Msg) -> None:
        hear(message.subject.removeprefix(SUBJECT.format("")), message.data)

    return await client.subscribe(SUBJECT.format(subject), cb=pass_on)


def _asked_for(body: bytes) -> list[tuple[str, list[Event]]]:
    """Nothing, where an event is unknown here: a newer node has to store it."""
    try:
        appends = read(0, body).appends
        return [
            (one.rid, [decode(kind, bytes(raw)) for kind, raw in one.events]) for one in appends
        ]
    except (LogDamaged, EventUnreadable) as error:
        logger.debug("Another node asks for what can't be read: %s", error)
        return []
