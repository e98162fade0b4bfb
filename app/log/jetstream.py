"""A site's log on NATS JetStream: what `append` returned from is on a majority's disks.

All appends that wait at one moment go into one message, which says the seq of its first event. It
is published with the number of the site's last message that this log has seen (`expected last
subject sequence`), so a message is stored only by somebody who knew all that were before it: seqs
have no gap, there is one order, times never go back, and a request (`rid`) that anybody has stored
is known before it could be stored again. The message's name (`Nats-Msg-Id`) is the site and the rid
of its first append, which has one made for it where none was given; a message whose acknowledgement
was lost is offered again, with the same name and place, so it is there once whatever became of the
first.
"""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from app.domain.events import Event
from app.log import LogDamaged, LogUnavailable, Record, Snapshot
from app.log.chain import Found
from app.log.codec import EventUnreadable
from app.log.commits import GroupCommit, Waiting
from app.log.message import read, written
from app.log.outgoing import entry_of, pieces
from app.log.relief import Relief
from app.log.seen import Seen
from app.log.snapshots import Snapshots
from app.log.stream import Overtaken, Unanswered
from app.sentences import Sentence

PATIENCE_S = 10.0
SHORTEST_PAUSE_S = 0.03
LONGEST_PAUSE_S = 0.25

logger = logging.getLogger(__name__)


class JetStreamLog:
    """An EventLog. Several may be open on one subject, in as many programs.

    `seen` has begun; whoever opened it passes on what comes, and hears by `left` of the end.
    """

    def __init__(
        self,
        seen: Seen,
        snapshots: Snapshots,
        clock: Callable[[], int],
        left: Callable[[], Awaitable[None]],
    ) -> None:
        self._seen = seen
        self._chain = seen.chain
        self._snapshots = snapshots
        self._clock = clock
        self._ends = [left]
        self._site = seen.chain.subject.rpartition(".")[2]
        self._commits = GroupCommit(self._write)
        self.relief = Relief(self._chain.stream.client, self._chain.subject, self.append)
        self._closed = False
        self._failure = ""

    @property
    def last_seq(self) -> int:
        """The newest record's seq that was seen, 0 for an empty log."""
        return self._seen.tail.last_seq

    @property
    def failure(self) -> str:
        """Why nothing can be stored at the moment; "" when it can."""
        return self._seen.failure or self._failure

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
            if (seq := self._seen.receipts.find(rid, now)) is not None:
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
        async for records in self._seen.tail.follow(max(after, 0), self._chain.since):
            yield records
        if self._seen.broken is not None:
            raise self._seen.broken

    async def records(self, seqs: Sequence[int]) -> Sequence[Record]:
        """The records of these seqs, in order. Raises LogUnavailable."""
        found = {record.seq: record for record in self._seen.tail.records(seqs)}
        for seq in sorted(set(seqs)):
            if seq not in found and 1 <= seq <= self.last_seq:
                message = await self._chain.holding(seq)
                found |= {each.seq: each for each in message.records()} if message else {}
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
        if self._closed:
            return
        self._closed = True
        await self._commits.close()
        await self._seen.close()
        for end in self._ends:
            await end()

    def at_end(self, job: Callable[[], Awaitable[None]]) -> None:
        """Do this too when it is closed."""
        self._ends.append(job)

    async def _write(self, batch: Sequence[Waiting]) -> None:
        for piece in pieces(batch):
            await self._store(piece)

    async def _store(self, piece: Sequence[Waiting]) -> None:
        """Until each append is stored, or refused because it waited too long."""
        pause, renamed = SHORTEST_PAUSE_S, False
        while left := [entry for entry in piece if not self._is_settled(entry)]:
            if self._seen.broken is not None:
                raise LogUnavailable(self._seen.failure)
            try:
                await self.relief.ask(left)
                renamed = await self._offer(left, renamed)
            except (LogDamaged, EventUnreadable) as error:
                self._seen.give_up(error)
            except (Unanswered, LogUnavailable) as reason:
                logger.debug("Events wait for the log's servers: %s", reason)
                await self._seen.pause(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
        if self._seen.broken is None and any(_is_stored(entry) for entry in piece):
            self._failure = ""

    async def _offer(self, left: Sequence[Waiting], renamed: bool) -> bool:
        """Publish the appends as the next message; whether the next try needs another name."""
        # What comes meanwhile may hold the same request: then this must be overtaken.
        after, name = self._chain.reached, f"{self._site}/{left[0].rid}"
        if self._seen.mark:
            await self._seen.mark.reach(self.last_seq + sum(len(entry.events) for entry in left))
        body = written(left, self.last_seq + 1, self._seen.at)
        try:
            place = await self._chain.stream.offer(
                self._chain.subject, body, after, f"{name}/{after}" if renamed else name
            )
        except Overtaken:
            self.relief.note_overtaken()
            if self._chain.reached == after:
                await self._seen.read_on()
            return renamed
        if not place.repeated:
            self.relief.note_stored()
            self._seen.take(Found(place.number, read(place.number, body)))
        elif place.number <= self._chain.reached:
            # The servers remember the request, but by the log's clock it is two minutes old.
            return True
        else:
            await self._seen.read_on()
        return renamed

    def _is_settled(self, entry: Waiting) -> bool:
        """Answered; also where another program, or a try that seemed to fail, has stored it."""
        if not entry.stored.done():
            seq = self._seen.receipts.find(entry.rid or "", entry.now)
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
