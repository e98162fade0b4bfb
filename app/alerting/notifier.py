"""Tells channels of what is new in the alarm log, and writes into the log that it did.

What is due is always read off the floor: lines of the alarm log that a channel was not told of. So
nothing queues up (a channel gets one message of all that is new), and after a restart nothing is
told twice. Sending runs in threads; a channel that fails is tried again, later and later.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from app.alerting.channels import Channel, Channels
from app.domain.alarm_view import is_about
from app.domain.events import AlarmSent
from app.domain.model import FloorState
from app.domain.rules import AlarmEntry
from app.domain.turn import Changes
from app.log import EventLog, LogUnavailable
from app.projector import Projector
from app.sentences import Sentence

TOLD = frozenset({"raised", "repeated", "returned"})
# After that an alarm is no news; what could not be told by then is given up.
GIVE_UP_MS = 10 * 60 * 1000
FIRST_WAIT_S = 5.0
LONGEST_WAIT_S = 120.0
SEND_S = 40.0
LOOK_S = 30.0
THREADS = 4

TOO_LONG = Sentence("The service did not answer within {seconds} s.", seconds=round(SEND_S))

Send = Callable[[str, str, str], str]
Compose = Callable[[Sequence[AlarmEntry]], tuple[str, str]]

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Rest:
    """A channel that failed: how often, and when (monotonic seconds) it is tried again."""

    failures: int
    until: float


class Notifier:
    """`send(url, title, body)` blocks and returns an error or ""; `compose` words the lines."""

    def __init__(
        self,
        channels: Channels,
        log: EventLog,
        projector: Projector,
        compose: Compose,
        send: Send,
        first_wait_s: float = FIRST_WAIT_S,
    ) -> None:
        self._channels = channels
        self._log = log
        self._projector = projector
        self._compose = compose
        self._send = send
        self._first_wait_s = first_wait_s
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="notifier")
        self._wake: Callable[[], None] = lambda: None
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._rests: dict[str, _Rest] = {}
        # (channel, line) that were told, whether or not the log could take it down yet.
        self._told: set[tuple[str, int]] = set()

    async def run(self) -> None:
        """Until cancelled."""
        with self._projector.subscribe() as news:
            self._wake = partial(news.add, Changes(alarms=True))
            while True:
                self._start()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._patience()):
                        while not _is_news(await news.take()):
                            pass

    async def close(self) -> None:
        """Let go of what is being sent."""
        for task in self._busy.values():
            task.cancel()
        await asyncio.gather(*self._busy.values(), return_exceptions=True)
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def attempt(self, url: str, title: str, body: str) -> str:
        """Send one message now; returns what went wrong, "" for nothing."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(SEND_S):
                return await loop.run_in_executor(self._pool, self._send, url, title, body)
        except TimeoutError:
            return TOO_LONG
        except Exception as error:  # noqa: BLE001 - a hundred services' code; none may end us
            return Sentence("The message could not be sent ({error}).", error=type(error).__name__)

    # Inside

    def _start(self) -> None:
        """Send to each channel that is free what it does not know."""
        now = asyncio.get_running_loop().time()
        for channel in self._channels.all():
            rest = self._rests.get(channel.channel)
            if channel.channel in self._busy or (rest and now < rest.until):
                continue
            if entries := self._due(channel):
                task = asyncio.create_task(self._tell(channel, entries))
                self._busy[channel.channel] = task
                task.add_done_callback(partial(self._is_free, channel.channel))

    def _is_free(self, channel: str, task: asyncio.Task[None]) -> None:
        self._busy.pop(channel, None)
        self._wake()
        if not task.cancelled() and (error := task.exception()):
            logger.error("Telling of alarms broke off.", exc_info=error)

    def _due(self, channel: Channel) -> list[AlarmEntry]:
        state = self._projector.floor.state
        return [entry for entry in state.alarm_log if self._is_due(channel, entry, state)]

    def _is_due(self, channel: Channel, entry: AlarmEntry, state: FloorState) -> bool:
        wanted = entry.what in TOLD or (entry.what == "cleared" and channel.tells_cleared)
        known = channel.channel in entry.told or (channel.channel, entry.number) in self._told
        fresh = state.at - entry.at < GIVE_UP_MS
        if not wanted or known or not fresh or entry.level < channel.level:
            return False
        return entry.key not in state.alarm_shelves and is_about(
            state, entry.metric, entry.subject, channel.scope
        )

    async def _tell(self, channel: Channel, entries: list[AlarmEntry]) -> None:
        title, body = self._compose(entries)
        error = await self.attempt(channel.url, title, body)
        if not error:
            self._rests.pop(channel.channel, None)
            await self._write_down(channel, entries, "")
            return
        wait = self._postpone(channel)
        now = self._projector.floor.state.at
        hopeless = [entry for entry in entries if now + wait * 1000 - entry.at >= GIVE_UP_MS]
        logger.warning("Alarms could not be told to “%s”: %s", channel.name, error)
        if hopeless:
            await self._write_down(channel, hopeless, error)

    def _postpone(self, channel: Channel) -> float:
        rest = self._rests.setdefault(channel.channel, _Rest(0, 0.0))
        wait: float = min(self._first_wait_s * 2.0**rest.failures, LONGEST_WAIT_S)
        rest.failures, rest.until = rest.failures + 1, asyncio.get_running_loop().time() + wait
        return wait

    async def _write_down(self, channel: Channel, entries: list[AlarmEntry], error: str) -> None:
        numbers = tuple(entry.number for entry in entries)
        oldest = self._projector.floor.state.alarm_log[0].number
        self._told = {pair for pair in self._told if pair[1] >= oldest}
        self._told |= {(channel.channel, number) for number in numbers}
        try:
            event = AlarmSent(channel=channel.channel, entries=numbers, error=str(error))
            await self._log.append([event])
        except LogUnavailable as reason:
            logger.error("That alarms were told to “%s” is not kept: %s", channel.name, reason)

    def _patience(self) -> float:
        """Seconds until something may be due without news."""
        now = asyncio.get_running_loop().time()
        waits = [rest.until - now for rest in self._rests.values()]
        return min(LOOK_S, max(0.05, min(waits, default=LOOK_S)))


def _is_news(changes: Changes) -> bool:
    """On each tick as well: a shelf may have ended, or a channel been added."""
    return changes.alarms or changes.beat
