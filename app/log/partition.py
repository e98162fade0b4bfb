"""A stream that sites share: read once in this process, handed to the open logs of its sites.

There is one consumer however many sites are open, and none while there are none.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from nats.aio.client import Client
from nats.aio.subscription import Subscription
from nats.js import api

from app.ending import end
from app.log import LogDamaged, LogUnavailable
from app.log.jetstream import JetStreamLog
from app.log.marks import Mark
from app.log.pull import Pull, PullEnded
from app.log.relief import listen
from app.log.seen import Seen
from app.log.snapshots import Bucket, Snapshots
from app.log.stream import BROKEN, START_S, Raw, Stream

PAUSE_S = 0.25

logger = logging.getLogger(__name__)


class Partition:
    """The stream that is `wanted`, whose subjects end with the names of sites."""

    def __init__(self, client: Client, wanted: api.StreamConfig, clock: Callable[[], int]) -> None:
        self.stream = Stream(client, wanted)
        self._clock = clock
        self._bucket = Bucket(self.stream.js, f"{wanted.name}-snapshots", self.stream.replicas)
        self._opening = asyncio.Lock()
        self._open: dict[str, list[Seen]] = {}
        self._logs: dict[JetStreamLog, str] = {}
        self._asked: Subscription | None = None
        self._heard: dict[str, int] = {}
        self._reached = 0
        self._watching: asyncio.Task[None] | None = None

    async def open(
        self, site: str, mark: Mark | None = None, clock: Callable[[], int] | None = None
    ) -> JetStreamLog:
        """The log of this site, with a mark where events age. Raises LogUnavailable, LogDamaged."""
        subject = self.stream.subject_of(site)
        seen = Seen(self.stream, subject, mark)
        async with self._opening:
            await self._start()
            # From now on it hears what comes, so nothing is missed while it reads what was there.
            self._open.setdefault(subject, []).append(seen)
        try:
            await self._begin(seen)
        except BaseException:
            await self._leave(seen)
            raise
        snapshots = Snapshots(self._bucket, site)
        log = JetStreamLog(seen, snapshots, clock or self._clock, lambda: self._leave(seen, log))
        self._logs[log] = subject
        return log

    async def close(self) -> None:
        """Close all logs of its sites."""
        for log in list(self._logs):
            await log.close()

    async def _begin(self, seen: Seen) -> None:
        """Through an election, which is no reason not to start."""
        deadline = asyncio.get_running_loop().time() + START_S
        while True:
            try:
                await seen.begin(self._heard.get(seen.chain.subject, 0))
                break
            except LogUnavailable as error:
                is_over = asyncio.get_running_loop().time() > deadline
                if is_over or isinstance(error, LogDamaged):
                    raise
            await asyncio.sleep(PAUSE_S)

    async def _leave(self, seen: Seen, log: JetStreamLog | None = None) -> None:
        async with self._opening:
            if log is not None:
                self._logs.pop(log, None)
            left = self._open[seen.chain.subject]
            left.remove(seen)
            if not left:
                del self._open[seen.chain.subject]
            if not self._open:
                await self._stop()

    async def _start(self) -> None:
        if self._watching is None:
            state = (await self.stream.open()).state
            self._check_whole(state)
            self._reached = state.last_seq
            self._heard.clear()
            self._watching = asyncio.create_task(self._keep_up())
            client, subject = self.stream.client, self.stream.subject_of("*")
            self._asked = await listen(client, subject, self._give)

    def _check_whole(self, state: api.StreamState) -> None:
        """Messages go from the beginning only, and only by age."""
        gone = state.first_seq - 1 if state.first_seq and not self.stream.ages else 0
        holes = state.last_seq - state.first_seq + 1 - state.messages if state.messages else 0
        if gone > 0 or holes > 0:
            raise LogDamaged(
                f"The log is damaged: the stream {self.stream.name} lacks {gone + holes} of its "
                "messages. Nothing is skipped and nothing is stored until somebody has looked."
            )

    def _give(self, subject: str, body: bytes) -> None:
        for log, own in self._logs.items():
            if own == subject:
                log.relief.give(body)

    async def _stop(self) -> None:
        if self._asked is not None:
            with suppress(*BROKEN):
                await self._asked.unsubscribe()
            self._asked = None
        watching, self._watching = self._watching, None
        await end(watching)

    async def _keep_up(self) -> None:
        """Hand on what is stored, by a new consumer whenever one ends."""
        while True:
            try:
                async with Pull(self.stream, self._reached + 1) as pull:
                    while True:
                        self._hand_on(await pull.next())
            except (*BROKEN, PullEnded, LogUnavailable) as error:
                logger.debug("The consumer of %s ended: %r", self.stream.name, error)
            except Exception:
                # A bug at one site must not stop all the others.
                logger.exception("Reading %s broke off, and goes on.", self.stream.name)
            await asyncio.sleep(PAUSE_S)

    def _hand_on(self, raw: Raw) -> None:
        if raw.number > self._reached + 1:
            # A replica with a hole, or messages too old: whose they were is not known.
            logger.warning("Stream %s jumps to message %d.", self.stream.name, raw.number)
            for each in self._open.values():
                for seen in each:
                    seen.doubt()
        self._reached = max(raw.number, self._reached)
        self._heard[raw.subject] = raw.number
        for seen in self._open.get(raw.subject, ()):
            seen.hear(raw)
