"""The rules for single webhook fields. Pure; knows no webhook and no event.

Two severities. An *identity* field (callid, extension, queue, event, status) decides the board's
state: malformed raises WebhookError. A *descriptive* field only describes: malformed means it is
dropped and named in `flags`, because the PBX does not send the event again.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import TypeVar
from urllib.parse import urlsplit

from app.pbx import WebhookError
from app.pbx.parameters import UNREADABLE

T = TypeVar("T")

CALLID = re.compile(r"[A-Za-z0-9._:@+=-]{1,128}")
EXTENSION = re.compile(r"(?=.*[A-Za-z0-9])[A-Za-z0-9._-]{1,32}")
PHONE = re.compile(r"[A-Za-z0-9+*#().@:_ -]{0,64}")
WORD = re.compile(r"[A-Za-z _-]{1,32}")
SECONDS = re.compile(r"[0-9]{1,7}")
CALLDATE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[ -]([0-9]{2}):([0-9]{2}):([0-9]{2})|-([0-9]{2})-([0-9]{2})-([0-9]{2}))"
)
RECORDING_NAME = re.compile(r"(?!/)(?!.*\.\.)[A-Za-z0-9._/-]{1,2048}")
# Printable ASCII without quotes, angle brackets and what browsers rewrite (backslash, backtick).
RECORDING_URL = re.compile(r"https?://[!#-&(-;=?-\[\]-_a-~]{1,2040}", re.IGNORECASE)

EVENTS = {"": "RING", "RING": "RING", "RINGING": "RING", "ANSWER": "ANSWER"}
PHONE_STATUSES = frozenset({"off", "on", "pause", "ring", "talk"})
CALL_STATUSES = {
    "ANSWERED": "ANSWER",
    "NO ANSWER": "NOANSWER",
    "NO_ANSWER": "NOANSWER",
    "NO-ANSWER": "NOANSWER",
}
DIRECTIONS = frozenset({"", "inbound", "outbound"})

WEEK_S = 604_800
BILLSEC_SLACK_S = 5
DAY_MS = 86_400_000
SKEW_MS = 600_000
QUEUE_LENGTH = 64
MARKS_IN_A_ROW = 8
# Letters and symbols by category that nevertheless show nothing.
BLANK_LOOKING = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | frozenset(
    chr(code)
    # Selectors of a variant: of a Mongolian letter, of any, of an ideograph.
    for selectors in (range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
    for code in selectors
)
PICTURE = re.compile("([\u2190-\u2bff])\ufe0f")
INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class Fields:
    """One webhook's parameters, read field by field. `flags` grows with every dropped field."""

    __slots__ = ("_now", "_params", "_zone", "flags")

    def __init__(self, params: Mapping[str, str], now: int, zone: tzinfo) -> None:
        self._params = params
        self._now = now
        self._zone = zone
        self.flags: tuple[str, ...] = ()

    def callid(self) -> str:
        callid = self._params.get("callid", "").strip(" ")
        if CALLID.fullmatch(callid) is None:
            raise self._refusal("callid", callid, "1-128 of A-Z a-z 0-9 . _ : @ + = -")
        return callid

    def extension(self, *, required: bool = True) -> str:
        extension = self._params.get("extension", "").strip(" ")
        if (extension or required) and EXTENSION.fullmatch(extension) is None:
            raise self._refusal("extension", extension, "1-32 of A-Z a-z 0-9 . _ -")
        return extension

    def queue(self, *, required: bool = False) -> str:
        queue = self._params.get("queue", "").strip()
        if not (queue.isascii() and queue.isprintable()):
            queue = unicodedata.normalize("NFC", queue)
            if not is_visible(queue):
                raise self._refusal("queue", queue, "visible text")
        if len(queue) > QUEUE_LENGTH or (required and not queue):
            raise self._refusal("queue", queue, "1-64 characters")
        return queue

    def event(self) -> str:
        """RING or ANSWER. Non-ASCII never matches: some of it upper-cases to ASCII letters."""
        event = self._params.get("event", "").strip(" ")
        known = EVENTS.get(event.upper()) if event.isascii() else None
        if known is None:
            raise self._refusal("event", event, "RING or ANSWER")
        return known

    def phone_status(self) -> str:
        status = self._params.get("status", "").strip(" ")
        if not status.isascii() or status.lower() not in PHONE_STATUSES:
            raise self._refusal("status", status, "off, on, pause, ring or talk")
        return status.lower()

    def call_status(self) -> str:
        """The PBX's word in capitals; words nobody has heard of are kept."""
        status = self._params.get("status", "").strip(" ")
        if WORD.fullmatch(status) is None:
            raise self._refusal("status", status, "1-32 letters, such as ANSWER")
        status = status.upper()
        return CALL_STATUSES.get(status, status)

    def phone(self) -> str:
        """The customer's number; empty means unknown, and a missing one is odd enough to flag."""
        if "phone" not in self._params:
            self.flag("phone")
        return self._told("phone", phone_number, "")

    def optional_phone(self, name: str) -> str:
        return self._told(name, phone_number, "")

    def direction(self) -> str:
        return self._told("direction", direction, "")

    def recording(self) -> str:
        return self._told("recordingfile", recording, "")

    def seconds(self, name: str) -> int | None:
        return self._told(name, seconds, None)

    def billsec(self, duration: int | None) -> int | None:
        """The talk in seconds; dropped when it is longer than the whole call."""
        billsec = self.seconds("billsec")
        if billsec is None or duration is None or billsec <= duration + BILLSEC_SLACK_S:
            return billsec
        self.flag("billsec")
        return None

    def started(self, lasted_s: int | None) -> int | None:
        """The start by the PBX's clock, in ms; flagged where now is not soon after the call."""
        started = self._told("calldate", self._instant, None)
        if started is None:
            return None
        ended = started + (lasted_s or 0) * 1000
        if not started - SKEW_MS <= self._now <= ended + SKEW_MS:
            self.flag("calldate")
        return started

    def flag(self, name: str) -> None:
        if name not in self.flags:
            self.flags += (name,)

    def _told(self, name: str, parse: Callable[[str], T], empty: T) -> T:
        value = self._params.get(name)
        if not value:
            return empty
        try:
            return parse(value)
        except ValueError:
            self.flag(name)
            return empty

    def _instant(self, value: str) -> int | None:
        value = value.strip(" ")
        if not value:
            return None
        match = CALLDATE.fullmatch(value)
        if match is None:
            raise ValueError("not one of the three shapes")
        year, month, day, hour, minute, second = (int(part) for part in match.groups() if part)
        if not 2000 <= year < 9999:
            raise ValueError("an absurd year")
        local = datetime(year, month, day, hour, minute, second, tzinfo=self._zone)
        instant = nearest(local, self._now)
        if instant > self._now + DAY_MS:
            raise ValueError("in the future")
        return instant

    def _refusal(self, name: str, value: str, expected: str) -> WebhookError:
        unreadable = UNREADABLE.get(value)
        if unreadable:
            return WebhookError(f"{name} {unreadable}", name)
        if not value:
            return WebhookError(f"{name} is missing", name)
        return WebhookError(f"{name} must be {expected}", name)


def nearest(local: datetime, now: int) -> int:
    """Milliseconds of a local time; when the hour comes twice, of the one nearer to now."""
    instants = (int(local.replace(fold=fold).timestamp()) * 1000 for fold in (0, 1))
    return min(instants, key=lambda instant: abs(now - instant))


def phone_number(value: str) -> str:
    """A `+` that was not percent-encoded arrives as a space before the digits."""
    if value[0] == " " and value[1:2].isdigit():
        value = f"+{value[1:]}"
    value = value.strip(" ")
    if PHONE.fullmatch(value) is None:
        raise ValueError("not a phone number")
    return value


def direction(value: str) -> str:
    value = value.strip(" ").lower()
    if value not in DIRECTIONS:
        raise ValueError("neither inbound nor outbound")
    return value


def seconds(value: str) -> int | None:
    value = value.strip(" ")
    if not value:
        return None
    if SECONDS.fullmatch(value) is None or int(value) > WEEK_S:
        raise ValueError("not a plausible number of seconds")
    return int(value)


def recording(value: str) -> str:
    """A plain name, or a URL that is safe to show; whether it becomes a link is decided later."""
    value = value.strip(" ")
    if not value or RECORDING_NAME.fullmatch(value):
        return value
    if len(value) > 2048 or RECORDING_URL.fullmatch(value) is None:
        raise ValueError("not a recording")
    address = urlsplit(value)
    # Reading `port` raises ValueError where it is out of range.
    if not address.hostname or "@" in address.netloc or address.port == 0:
        raise ValueError("not a plain web address")
    return value


def is_visible(text: str) -> bool:
    """Nothing in `text` is invisible, looks blank, or piles up more than eight marks."""
    marks = 0
    # This one makes a coloured picture of the symbol before it, and keyboards add it.
    for character in PICTURE.sub(r"\1", text):
        category = unicodedata.category(character)
        marks = marks + 1 if category[0] == "M" else 0
        if category in INVISIBLE or character in BLANK_LOOKING or marks > MARKS_IN_A_ROW:
            return False
    return True
