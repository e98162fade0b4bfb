"""The stream's new messages as they come: a pull consumer of our own, made again when it falls
silent.

The client's ordered consumer begins at message 1 again when it is reset before its first message;
this one is always told where to begin.
"""

import asyncio
import json
from types import TracebackType
from typing import Self

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js import api

from app.log.stream import BROKEN, Raw, Stream

BATCH = 1000
EXPIRES_S = 30
# The server says each second that it is there.
HEARTBEAT_S = 1
SILENCE_S = 3.0
FORGET_S = 30


class PullEnded(Exception):
    """This consumer gives nothing more: make another one."""


class Pull:
    """Messages from number `first` on, for as long as the consumer lives."""

    def __init__(self, stream: Stream, first: int) -> None:
        self._stream = stream
        self._client = stream.client
        self._first = first
        self._came: asyncio.Queue[Msg] = asyncio.Queue()
        self._left = 0

    async def __aenter__(self) -> Self:
        consumer = await self._stream.js.add_consumer(
            self._stream.name,
            api.ConsumerConfig(
                deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=self._first,
                ack_policy=api.AckPolicy.NONE,
                mem_storage=True,
                num_replicas=1,
                inactive_threshold=FORGET_S,
            ),
        )
        self._inbox = self._client.new_inbox()
        # No limits: at most two batches are on their way, and nothing may be dropped.
        self._subscription: Subscription = await self._client.subscribe(
            self._inbox, cb=self._came.put, pending_msgs_limit=0, pending_bytes_limit=0
        )
        self._name = f"{self._stream.name}.{consumer.name}"
        await self._ask()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            # Or else the servers keep it for half a minute. Nobody waits for their answer.
            await self._client.publish(f"$JS.API.CONSUMER.DELETE.{self._name}", reply=self._inbox)
            await self._subscription.unsubscribe()
        except BROKEN:
            # The connection is gone, and the subscription with it.
            return

    async def next(self) -> Raw:
        """The next message. Raises PullEnded, TimeoutError after a silence, or what NATS raises."""
        while True:
            if self._came.empty():
                async with asyncio.timeout(SILENCE_S):
                    message = await self._came.get()
            else:
                message = self._came.get_nowait()
            if message.reply:
                break
            await self._heed((message.headers or {}).get("Status", ""))
        self._left -= 1
        if self._left == BATCH // 2:
            await self._ask()
        return Raw(_number(message.reply), message.subject, message.data)

    async def _heed(self, status: str) -> None:
        if status == "408":
            # Asked for so long ago that it has expired.
            self._left = 0
            await self._ask()
        elif status != "100":
            raise PullEnded(status)

    async def _ask(self) -> None:
        question = {
            "batch": BATCH,
            "expires": EXPIRES_S * 10**9,
            "idle_heartbeat": HEARTBEAT_S * 10**9,
        }
        self._left += BATCH
        await self._client.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.{self._name}",
            json.dumps(question).encode(),
            reply=self._inbox,
        )


def _number(reply: str) -> int:
    """`$JS.ACK.stream.consumer.tries.NUMBER.…`; newer servers put domain and account first."""
    tokens = reply.split(".")
    return int(tokens[5] if len(tokens) == 9 else tokens[7])
