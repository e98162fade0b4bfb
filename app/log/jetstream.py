"""A log in a stream of NATS JetStream: what `append` returned from is on a majority's disks.

All appends that wait at one moment go into one message, which says the seq of its first event. It
is published with the number of the last message that this log has seen (`expected last sequence`),
so a message is stored only by somebody who knew all that were before it: seqs have no gap, there is
one order, times never go back, and a request (`rid`) that anybody has stored is known before it
could be stored again. The message's name (`Nats-Msg-Id`) is the rid of its first append, which has
one made for it where none was given; a message whose acknowledgement was lost is offered again,
with the same name and the same number, so it is there once whatever became of the first.
"""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Self

from nats.aio.client import Client

from app.domain.events import Event
from app.log import LogDamaged, LogUnavailable, Record, Snapshot
from app.log.address import Address
from app.log.archive import Archive
from app.log.codec import EventUnreadable
from app.log.commits import GroupCommit, Waiting
from app.log.message import read, written
from app.log.outgoing import entry_of, pieces
from app.log.pull import Pull, PullEnded
from app.log.receipts import RECEIPT_MS, Receipts
from app.log.servers import check_syncing, connect
from app.log.snapshots import Snapshots
from app.log.stream import BROKEN, Overtaken, Raw, Stream, Unanswered, gap
from app.log.tail import CHUNK, Tail
from app.sentences import Sentence, wording

PATIENCE_S = 10.0
SHORTEST_PAUSE_S = 0.03
LONGEST_PAUSE_S = 0.25

logger = logging.getLogger(__name__)


class JetStreamLog:
    """An EventLog. Several may be open on one stream, in as many programs."""

    def __init__(self, client: Client, stream: Stream, name: str, clock: Callable[[], int]) -> None:
        self._client = client
        self._stream = stream
        self._clock = clock
        self._snapshots = Snapshots(stream.js, f"{name}-snapshots", stream.replicas)
        self._at = 0
        self._tail = Tail()
        self._archive = Archive(stream)
        self._receipts = Receipts()
        self._commits = GroupCommit(self._write)
        self._watching: asyncio.Task[None] | None = None
        self._broken: LogDamaged | EventUnreadable | None = None
        self._closed = False
        self._failure = ""

    @classmethod
    async def open(cls, address: Address, clock: Callable[[], int]) -> Self:
        """The log at this address, its stream made if there is none; `clock` tells ms, UTC.

        Raises LogUnavailable, for servers too that acknowledge before they sync; LogDamaged.
        """
        await check_syncing(address)
        client = await connect(address)
        try:
            stream = Stream(client, f"{address.name}-p0", len(address.servers))
            log = cls(client, stream, address.name, clock)
            await log._begin(await stream.open())
        except BaseException:
            await client.close()
            raise
        return log

    @property
    def last_seq(self) -> int:
        """The newest record's seq that was seen, 0 for an empty log."""
        return self._tail.last_seq

    @property
    def failure(self) -> str:
        """Why nothing can be stored at the moment; "" when it can."""
        return self._failure

    @property
    def waiting(self) -> float:
        """How full the queue for the servers is, from 0 to 1."""
        return self._commits.fill

    async def append(self, events: Sequence[Event], rid: str | None = None) -> int:
        """Store the events together; see EventLog.

        Raises LogUnavailable after ten seconds: then it may be stored all the same, and the same
        `rid` again finds it. ValueError for an event that could not be read back.
        """
        if self._closed:
            raise LogUnavailable(Sentence("The log is closed: the program is about to end."))
        now = self._clock()
        if rid is not None:
            if (seq := self._receipts.find(rid, now)) is not None:
                return seq
            if twin := self._commits.find(rid):
                return await asyncio.shield(twin.stored)
        if not events:
            return self.last_seq
        entry = entry_of(events, uuid.uuid4().hex if rid is None else rid, now)
        self._commits.add(entry)
        refusal = asyncio.get_running_loop().call_later(PATIENCE_S, self._refuse, entry)
        entry.stored.add_done_callback(lambda _: refusal.cancel())
        return await asyncio.shield(entry.stored)

    async def follow(self, after: int = 0) -> AsyncIterator[Sequence[Record]]:
        """Yield every record after `after`, then live; ends when the log is closed.

        Raises LogUnavailable, LogDamaged, or EventUnreadable for what is no event.
        """
        async for records in self._tail.follow(max(after, 0), self._archive.since):
            yield records
        if self._broken is not None:
            raise self._broken

    async def records(self, seqs: Sequence[int]) -> Sequence[Record]:
        """The records of these seqs, in order. Raises LogUnavailable."""
        found = {record.seq: record for record in self._tail.records(seqs)}
        for seq in sorted(set(seqs)):
            if seq not in found and 1 <= seq <= self.last_seq:
                message = await self._archive.holding(seq)
                found |= {each.seq: each for each in message.records()}
        return [found[seq] for seq in sorted(set(seqs)) if seq in found]

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep this snapshot and the one before it. Raises LogUnavailable."""
        await self._snapshots.save(snapshot)

    async def latest_snapshot(self, before: int | None = None) -> Snapshot | None:
        """The newest snapshot kept, if any, but none of a longer log. Raises LogUnavailable."""
        newest = self.last_seq if before is None else min(self.last_seq, before - 1)
        return await self._snapshots.latest(range(1, newest + 1))

    async def close(self) -> None:
        """Finish what was appended; followers end when they have seen all."""
        self._closed = True
        await self._commits.close()
        while self._watching is not None and not self._watching.done():
            # Before Python 3.12 `wait_for`, which the client uses, may lose a cancellation.
            self._watching.cancel()
            await asyncio.wait([self._watching], timeout=0.1)
        self._tail.close()
        await self._client.close()

    async def _begin(self, newest: int) -> None:
        """Know the newest record and the requests of the last two minutes, then keep up."""
        if newest:
            message = await self._archive.begin(newest)
            self._tail = Tail(message.last)
            self._at = message.appends[-1].at
            await self._recall_receipts(newest)
        self._watching = asyncio.create_task(self._keep_up())

    async def _recall_receipts(self, newest: int) -> None:
        """Read the messages of the last two minutes, from the newest back; keep oldest first."""
        found: list[tuple[str, int, int]] = []
        after = newest
        while after > 0:
            first = max(after - CHUNK + 1, 1)
            messages = await self._archive.messages(first, after - first + 1)
            kept = [each for number, each in messages if number <= after]
            found = [receipt for each in kept for receipt in each.receipts()] + found
            if len(kept) == after - first + 1 and kept[0].appends[0].at < self._at - RECEIPT_MS:
                break
            after = first - 1
        for receipt in found:
            self._receipts.keep(*receipt)

    async def _keep_up(self) -> None:
        """Take what others store too, and make a new consumer whenever one ends."""
        while True:
            try:
                await self._pull()
            except (LogDamaged, EventUnreadable) as error:
                self._give_up(error)
                return
            except (*BROKEN, PullEnded, LogUnavailable, Unanswered) as error:
                logger.debug("The log's consumer ended: %r", error)
            await asyncio.sleep(LONGEST_PAUSE_S)

    async def _pull(self) -> None:
        async with Pull(self._stream, self._archive.reached + 1) as pull:
            while True:
                raw = await pull.next()
                if raw.number > self._archive.reached + 1:
                    await self._read_on()
                self._take(raw)

    async def _read_on(self) -> None:
        """Take what follows. Raises Unanswered where the server asked is not as far yet."""
        before = self._archive.reached
        for raw in await self._stream.read(before + 1, CHUNK):
            self._take(raw)
        if self._archive.reached == before:
            raise Unanswered("a server is behind the others")

    def _take(self, raw: Raw) -> None:
        """The next message of the stream; one that was taken already changes nothing."""
        if raw.number <= self._archive.reached:
            return
        if raw.number > self._archive.reached + 1:
            raise LogDamaged(gap(self._archive.reached + 1))
        message = read(*raw)
        records = message.records()
        self._archive.note(raw.number, message)
        self._at = records[-1].at
        self._tail.publish(records)
        for receipt in message.receipts():
            self._receipts.keep(*receipt)

    def _give_up(self, error: LogDamaged | EventUnreadable) -> None:
        logger.error("The log stops: %s", error)
        self._broken, self._failure = error, wording(error)
        self._tail.close()

    async def _write(self, batch: Sequence[Waiting]) -> None:
        for piece in pieces(batch):
            await self._store(piece)

    async def _store(self, piece: Sequence[Waiting]) -> None:
        """Until each append is stored, or refused because it waited too long."""
        pause, renamed = SHORTEST_PAUSE_S, False
        while left := [entry for entry in piece if not self._is_settled(entry)]:
            if self._broken is not None:
                raise LogUnavailable(wording(self._broken))
            try:
                renamed = await self._offer(left, renamed)
            except (LogDamaged, EventUnreadable) as error:
                self._give_up(error)
            except (Unanswered, LogUnavailable) as reason:
                logger.debug("Events wait for the log's servers: %s", reason)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
        if self._broken is None and any(_is_stored(entry) for entry in piece):
            self._failure = ""

    async def _offer(self, left: Sequence[Waiting], renamed: bool) -> bool:
        """Publish the appends as the next message; whether the next try needs another name."""
        number, name = self._archive.reached + 1, left[0].rid or ""
        body = written(left, self.last_seq + 1, self._at)
        try:
            place = await self._stream.offer(
                body, number - 1, f"{name}/{number}" if renamed else name
            )
        except Overtaken:
            await self._read_on()
            return renamed
        if place.number == number and not place.repeated:
            self._take(Raw(number, body))
        elif place.number <= self._archive.reached:
            # The servers remember the request, but by the log's clock it is two minutes old.
            return True
        else:
            await self._read_on()
        return renamed

    def _is_settled(self, entry: Waiting) -> bool:
        """Answered; also where another program, or a try that seemed to fail, has stored it."""
        if not entry.stored.done():
            seq = self._receipts.find(entry.rid or "", entry.now)
            if seq is not None:
                entry.stored.set_result(seq)
        return entry.stored.done()

    def _refuse(self, entry: Waiting) -> None:
        if entry.stored.done():
            return
        self._failure = Sentence(
            "The log's servers have not stored the events within {seconds} seconds. "
            "Is a majority of them running?",
            seconds=int(PATIENCE_S),
        )
        entry.stored.set_exception(LogUnavailable(self._failure))
        # Perhaps its caller was cancelled, and nobody asks.
        entry.stored.exception()


def _is_stored(entry: Waiting) -> bool:
    return entry.stored.done() and entry.stored.exception() is None
