"""One JetStream stream: made as it must be, written at its end, read from any of its replicas."""

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

from app.log import LogDamaged, LogUnavailable
from app.sentences import Sentence

ANSWER_S = 1.0
START_S = 15.0
REPEAT_S = 120
READ_BYTES = 2 * 1024 * 1024
TRIES = 12
PAUSE_S = 0.05
# "wrong last sequence", in the two ways the server says it.
OVERTAKEN = {10071, 10164}
PLAIN = re.compile(r"[!-~]{1,200}")
# Whatever the client raises when an answer does not come; APIError is one of NatsError.
BROKEN = (NatsError, TimeoutError, OSError)

logger = logging.getLogger(__name__)


class Overtaken(Exception):
    """Another message is where this one should be."""


class Unanswered(Exception):
    """It is not known whether the message is stored; the same one may be offered again."""


class Place(NamedTuple):
    """Where a message is. `repeated`: one of this name was there before."""

    number: int
    repeated: bool


class Raw(NamedTuple):
    """A stored message, numbered from 1 without a gap."""

    number: int
    body: bytes


class Stream:
    """The stream `name` with its one subject, on `replicas` servers."""

    def __init__(self, client: Client, name: str, replicas: int) -> None:
        self.client = client
        self.name = name
        self.replicas = replicas
        self.js: JetStreamContext = client.jetstream(timeout=3)
        self._subject = name.replace("-", ".")

    async def open(self) -> int:
        """Make the stream if there is none; the newest message's number, 0 for none.

        Raises LogUnavailable for a stream made otherwise, LogDamaged for one with gaps.
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

    async def offer(self, body: bytes, after: int, name: str) -> Place:
        """Store the message next after number `after`, once for each name.

        It returns when it is on the disks of a majority. Raises Overtaken or Unanswered.
        """
        headers = {
            "Nats-Msg-Id": _header(name),
            "Nats-Expected-Last-Sequence": str(after),
            "Nats-Expected-Stream": self.name,
        }
        try:
            ack = await self.js.publish(self._subject, body, ANSWER_S, headers=headers)
        except APIError as error:
            if error.err_code in OVERTAKEN:
                raise Overtaken from error
            raise Unanswered(error.description or str(error)) from error
        except BROKEN as error:
            raise Unanswered("no answer" if isinstance(error, TimeoutError) else error) from error
        return Place(ack.seq, bool(ack.duplicate))

    async def read(self, first: int, count: int, known: int = 0) -> Sequence[Raw]:
        """Messages from number `first` on, at most `count`; none if the replica asked has none.

        Not none where messages up to number `known` are known to be there. Raises LogUnavailable,
        and LogDamaged where no replica has the first one though later ones are there.
        """
        problem: Exception | None = None
        for _ in range(TRIES):
            try:
                found = await self._asked(first, count)
            except BROKEN as error:
                problem = error
            else:
                problem = None
                if whole := _without_gap(found, first):
                    return whole
                if not found and first > known:
                    return ()
            # Another replica may have it.
            await asyncio.sleep(PAUSE_S)
        return [await self._from_leader(first, problem)]

    async def _found(self) -> api.StreamInfo:
        try:
            return await self.js.stream_info(self.name)
        except NotFoundError:
            return await self.js.add_stream(self._wanted())

    def _wanted(self) -> api.StreamConfig:
        return api.StreamConfig(
            name=self.name,
            subjects=[self._subject],
            storage=api.StorageType.FILE,
            num_replicas=self.replicas,
            duplicate_window=REPEAT_S,
            deny_delete=True,
            deny_purge=True,
            allow_direct=True,
        )

    def _checked(self, info: api.StreamInfo) -> int:
        told, wanted = info.config, self._wanted()
        for what in ("subjects", "storage", "num_replicas", "deny_delete", "deny_purge"):
            if getattr(told, what) != getattr(wanted, what):
                raise LogUnavailable(
                    f"The stream {self.name} on the NATS servers has {what} "
                    f"{getattr(told, what)}, where {getattr(wanted, what)} is needed. Does "
                    "PITWALL_LOG name all its servers, and the right ?name=…"
                )
        state = info.state
        if state.messages and (state.first_seq != 1 or state.messages != state.last_seq):
            raise LogDamaged(gap(state.first_seq - 1 if state.first_seq > 1 else state.last_seq))
        return state.last_seq

    async def _asked(self, first: int, count: int) -> Sequence[Raw]:
        """What one replica has, whichever answers."""
        inbox = self.client.new_inbox()
        subscription = await self.client.subscribe(inbox)
        try:
            question = {"seq": first, "batch": count, "max_bytes": READ_BYTES}
            subject = f"$JS.API.DIRECT.GET.{self.name}"
            await self.client.publish(subject, json.dumps(question).encode(), reply=inbox)
            found: list[Raw] = []
            while not _is_end(message := await subscription.next_msg(ANSWER_S)):
                found.append(Raw(int((message.headers or {})["Nats-Sequence"]), message.data))
            return found
        finally:
            await subscription.unsubscribe()

    async def _from_leader(self, number: int, problem: Exception | None) -> Raw:
        try:
            message = await self.js.get_msg(self.name, seq=number)
        except NotFoundError as error:
            raise LogDamaged(gap(number)) from error
        except BROKEN as error:
            raise LogUnavailable(
                Sentence("The log can't be read: its servers do not answer.")
            ) from (problem or error)
        return Raw(number, message.data or b"")


def gap(number: int) -> Sentence:
    """What is said of a message that must be there and is not."""
    return Sentence(
        "The log is damaged: message {number} is missing on every server. Nothing is skipped and "
        "nothing is stored until somebody has looked.",
        number=number,
    )


def _without_gap(found: Sequence[Raw], first: int) -> Sequence[Raw]:
    whole = [raw for index, raw in enumerate(found) if raw.number == first + index]
    return whole if found and found[0].number == first else ()


def _is_end(message: Msg) -> bool:
    status = (message.headers or {}).get("Status")
    if status not in {None, "204", "404"}:
        raise NatsError(f"status {status}")
    return status is not None


def _header(name: str) -> str:
    # A header has no room for everything that may be a name.
    return name if PLAIN.fullmatch(name) else hashlib.sha256(name.encode()).hexdigest()
