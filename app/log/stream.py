"""One JetStream stream of many subjects: made as it must be, written and read by subject.

Each subject is a chain of its own: a message is stored only next after the one its sender names.
"""

import asyncio
import hashlib
import json
import logging
import re
from collections.abc import Sequence
from typing import NamedTuple

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext, api
from nats.js.errors import APIError, NotFoundError

from app.ending import heeding
from app.log import LogUnavailable
from app.sentences import Sentence

ANSWER_S = 1.0
START_S = 15.0
READ_BYTES = 2 * 1024 * 1024
# "wrong last sequence", in the two ways the server says it.
OVERTAKEN = {10071, 10164}
PLAIN = re.compile(r"[!-~]{1,200}")
# Whatever the client raises when an answer does not come; APIError is one of NatsError.
# RuntimeError is what uvloop makes of writing to a connection that was closed just now.
BROKEN = (NatsError, TimeoutError, OSError, RuntimeError)
MUST_BE = ("subjects", "storage", "num_replicas", "deny_delete", "deny_purge", "allow_direct")


logger = logging.getLogger(__name__)


class Overtaken(Exception):
    """Another message is where this one should be."""


class Unanswered(Exception):
    """It is not known whether it is stored; the same may be offered, or asked, again."""


class Place(NamedTuple):
    """Where a message is. `repeated`: one of this name was there before."""

    number: int
    repeated: bool


class Raw(NamedTuple):
    """A stored message. `number` counts all messages of the stream, whatever their subject."""

    number: int
    subject: str
    body: bytes


class Stream:
    """The stream that is `wanted`, on as many servers as that says."""

    def __init__(self, client: Client, wanted: api.StreamConfig) -> None:
        self.client = client
        self.wanted = wanted
        self.name = wanted.name or ""
        self.replicas = wanted.num_replicas or 1
        self.js: JetStreamContext = client.jetstream(timeout=3)

    def subject_of(self, name: str) -> str:
        """The subject that ends with this name."""
        return (self.wanted.subjects or [""])[0].replace("*", name)

    @property
    def ages(self) -> bool:
        """Whether old messages go by themselves."""
        return bool(self.wanted.max_age)

    async def open(self) -> api.StreamInfo:
        """Make the stream if there is none; what the servers tell about it.

        Raises LogUnavailable, also for a stream that was made otherwise.
        """
        deadline = asyncio.get_running_loop().time() + START_S
        while True:
            try:
                return self._checked(await self._found())
            except BROKEN as error:
                # A cluster that has just been started has no leader yet.
                if asyncio.get_running_loop().time() > deadline:
                    raise LogUnavailable(
                        f"The NATS servers do not open the stream {self.name}: {error}. "
                        "Is a majority of them running, with JetStream?"
                    ) from error
            await asyncio.sleep(0.2)

    @heeding
    async def offer(
        self, subject: str, body: bytes, after: int, name: str, expires_s: float | None = None
    ) -> Place:
        """Store the message next after the subject's number `after`, once for each name.

        It returns when it is on the disks of a majority. Raises Overtaken or Unanswered.
        """
        headers = {
            "Nats-Msg-Id": _header(name),
            "Nats-Expected-Last-Subject-Sequence": str(after),
            "Nats-Expected-Stream": self.name,
        }
        try:
            ack = await self.js.publish(subject, body, ANSWER_S, headers=headers, msg_ttl=expires_s)
        except APIError as error:
            if error.err_code in OVERTAKEN:
                raise Overtaken from error
            raise Unanswered(error.description or str(error)) from error
        except BROKEN as error:
            raise Unanswered("no answer" if isinstance(error, TimeoutError) else error) from error
        return Place(ack.seq, bool(ack.duplicate))

    async def read(self, subject: str, first: int, count: int) -> Sequence[Raw]:
        """The subject's messages from number `first` on, at most `count`, as one replica has them.

        Which one answers is chance, and it may be behind the others. Raises Unanswered.
        """
        question = {"seq": first, "next_by_subj": subject, "batch": count, "max_bytes": READ_BYTES}
        try:
            return await self._asked(question)
        except BROKEN as error:
            raise Unanswered(str(error)) from error

    async def newest(self, subject: str) -> Raw | None:
        """The subject's newest message, as the leader has it. Raises LogUnavailable."""
        return await self._from_leader(0, subject)

    async def next_from_leader(self, subject: str, first: int) -> Raw | None:
        """The subject's first message from this number on. Raises LogUnavailable."""
        return await self._from_leader(max(first, 1), subject)

    @heeding
    async def delete(self, number: int) -> None:
        """Let this message go, where the stream allows it and the servers answer."""
        try:
            await self.js.delete_msg(self.name, number)
        except BROKEN as error:
            logger.debug("Message %d of %s is not deleted: %r", number, self.name, error)

    @heeding
    async def first_number(self) -> int:
        """Messages before this one are gone by age. Raises LogUnavailable."""
        if not self.ages:
            return 1
        try:
            return (await self.js.stream_info(self.name)).state.first_seq
        except BROKEN as error:
            raise LogUnavailable(_silent()) from error

    @heeding
    async def _found(self) -> api.StreamInfo:
        try:
            found = await self.js.stream_info(self.name)
        except NotFoundError:
            return await self.js.add_stream(self.wanted)
        if (found.config.max_age or 0) != (self.wanted.max_age or 0):
            found.config.max_age = self.wanted.max_age
            return await self.js.update_stream(found.config)
        return found

    def _checked(self, info: api.StreamInfo) -> api.StreamInfo:
        for what in MUST_BE:
            told, wanted = getattr(info.config, what), getattr(self.wanted, what)
            if told != wanted:
                raise LogUnavailable(
                    f"The stream {self.name} on the NATS servers has {what} {told}, where {wanted} "
                    "is needed. Does PITWALL_LOG name all its servers, and the right ?name=…"
                )
        return info

    @heeding
    async def _asked(self, question: dict[str, object]) -> Sequence[Raw]:
        inbox = self.client.new_inbox()
        subscription = await self.client.subscribe(inbox)
        try:
            subject = f"$JS.API.DIRECT.GET.{self.name}"
            await self.client.publish(subject, json.dumps(question).encode(), reply=inbox)
            found: list[Raw] = []
            while not _is_end(message := await subscription.next_msg(ANSWER_S)):
                headers = message.headers or {}
                number, subject = int(headers["Nats-Sequence"]), headers["Nats-Subject"]
                found.append(Raw(number, subject, message.data))
            return found
        finally:
            await subscription.unsubscribe()

    @heeding
    async def _from_leader(self, first: int, subject: str) -> Raw | None:
        try:
            message = await self.js.get_msg(
                self.name, seq=first or None, subject=subject, next=first > 0
            )
        except NotFoundError:
            return None
        except BROKEN as error:
            raise LogUnavailable(_silent()) from error
        return Raw(message.seq or 0, subject, message.data or b"")


def _silent() -> Sentence:
    return Sentence("The log can't be read: its servers do not answer.")


def _is_end(message: Msg) -> bool:
    status = (message.headers or {}).get("Status")
    if status not in {None, "204", "404"}:
        raise NatsError(f"status {status}")
    return status is not None


def _header(name: str) -> str:
    # A header has no room for everything that may be a name.
    return name if PLAIN.fullmatch(name) else hashlib.sha256(name.encode()).hexdigest()
