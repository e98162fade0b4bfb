"""PBXs: what they push to us, what we may ask of them. One module per dialect."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple, Protocol

from app.domain.events import CallRecorded
from app.domain.states import Direction, Status


class WebhookError(Exception):
    """The sender's fault: the webhook can't be understood and nothing of it is applied.

    `field` names the offending parameter ("" for the request as a whole); `str(error)` is the
    reason, in words for the person who runs the PBX, and never repeats the value.
    """

    def __init__(self, reason: str, field: str = "") -> None:
        super().__init__(reason)
        self.field = field


class PbxError(Exception):
    """The PBX's fault, or the way to it: a sentence for the supervisor, never a URL or a key.

    `kind` is unreachable, timeout, refused, garbage, busy, unconfigured, redirect or too_large.
    `unknown` is true where the request may have had its effect all the same.
    """

    def __init__(self, kind: str, sentence: str, *, unknown: bool = False) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.unknown = unknown


class SpyMode(StrEnum):
    """What a supervisor wants, in the words on the buttons; a PBX may call it otherwise."""

    LISTEN = "listen"
    WHISPER = "whisper"
    BARGE = "barge"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class PhoneState:
    """What the PBX says of one phone when asked. None: it said nothing that can be understood."""

    extension: str
    status: Status | None = None
    paused: bool | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """One agent's place in the queues. None as in PhoneState.

    `name` and `queue_names`, (queue, name) pairs, are what people may call them; "" where untold.
    """

    extension: str
    queues: tuple[str, ...] = ()
    paused: bool | None = None
    status: Status | None = None
    name: str = ""
    queue_names: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An answer that could not be understood and so changed nothing, for the diagnostics page.

    `sample` is its beginning with the key taken out; `times` counts answers like it.
    """

    call: str
    reason: str
    sample: str
    times: int = 1


class Finding(NamedTuple):
    """One row of the administrator's connection test."""

    what: str
    ok: bool
    sentence: str


class Pbx(Protocol):
    """What may be asked of a PBX. Every method raises PbxError, within 6 s, and never retries."""

    @property
    def unreadable(self) -> Sequence[Unreadable]:
        """The newest answers that could not be understood, oldest first."""

    async def dial(self, extension: str, phone: str) -> None:
        """Ring `extension`; when it answers, call `phone`."""

    async def phones(self, extensions: Sequence[str]) -> list[PhoneState]:
        """The state of these phones; one that the PBX does not speak of is not in the answer."""

    async def spy(
        self, supervisor: str, extension: str, mode: SpyMode, direction: Direction | None
    ) -> None:
        """Ring `supervisor` and connect it to the call of `extension`; who called whom decides
        which side hears the supervisor, so without `direction` some modes are refused."""

    async def members(self) -> list[Member]:
        """Every agent that is in any queue."""

    async def pause(self, extension: str, paused: bool) -> None:
        """Take the agent out of its queues, or put it back."""

    async def records(
        self, day_from: date, day_to: date, callid: str | None = None
    ) -> list[CallRecorded]:
        """The records of the calls of these days (both included, in the PBX's time zone)."""

    async def test_connection(self) -> list[Finding]:
        """Try what can be tried without ringing anybody. Takes up to two answers' time."""

    async def close(self) -> None:
        """Let go of the connections."""
