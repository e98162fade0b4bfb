"""The PBX's undocumented answers, read tolerantly: JSON of any shape → phones and members. Pure.

What a field's name or word does not clearly say is not told (None), never guessed.
"""

import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn, TypeVar

from app.domain.states import Status
from app.pbx import Member, PhoneState
from app.pbx.fields import EXTENSION, QUEUE_LENGTH, is_visible

T = TypeVar("T")

NOT_JSON: Final = object()
MAX_DEPTH = 8
MAX_ENTRIES = 10_000

EXTENSION_NAMES = ("ext", "exten", "extension", "member", "number")
STATUS_NAMES = ("status", "state")
PAUSE_NAMES = ("paused", "pause")
QUEUE_NAMES = ("queue", "queue_name", "queues")
PERSON_NAMES = ("name", "agent_name", "member_name", "membername", "full_name", "fullname")
WRAPPERS = frozenset({"result", "data", "members", "member", "list", "response"})
# Asterisk names a member by its channel: SIP/101, Local/101@from-queue/n.
CHANNEL = re.compile(r"(?:(?:PJ)?SIP|IAX2|Local|Agent|SCCP)/([A-Za-z0-9._]+)(?:[@/-].*)?", re.I)
DIGITS = re.compile(r"[0-9]{1,10}")

STATUS_WORDS = {
    **dict.fromkeys(("off", "offline", "unavailable", "unregistered", "notregistered"), Status.OFF),
    **dict.fromkeys(("unreachable", "loggedoff", "loggedout"), Status.OFF),
    **dict.fromkeys(("on", "online", "idle", "available", "registered", "notinuse"), Status.ON),
    **dict.fromkeys(("ready", "free"), Status.ON),
    **dict.fromkeys(("talk", "talking", "inuse", "busy", "incall", "oncall"), Status.TALK),
    **dict.fromkeys(("onhold", "ringinuse"), Status.TALK),
    **dict.fromkeys(("ring", "ringing"), Status.RING),
    **dict.fromkeys(("pause", "paused"), Status.PAUSE),
}
SILENT_WORDS = frozenset({"", "unknown", "invalid"})
TRUE_WORDS = frozenset({"1", "true", "yes", "y", "on", "pause", "paused"})
FALSE_WORDS = frozenset({"0", "false", "no", "n", "off", "unpause", "unpaused"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One extension as one part of an answer speaks of it; names of fields in lower case."""

    extension: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    queues: tuple[str, ...] = ()

    @property
    def status(self) -> Status | None:
        words = (self.fields.get(name) for name in STATUS_NAMES)
        return next((known for word in words if (known := status_of(word)) is not None), None)

    @property
    def paused(self) -> bool | None:
        flags = (flag_of(self.fields.get(name)) for name in PAUSE_NAMES)
        told = next((flag for flag in flags if flag is not None), None)
        return True if told is None and self.status is Status.PAUSE else told

    @property
    def name(self) -> str:
        """What people call this agent; "" where there is only the extension or a channel."""
        words = (self.fields.get(name) for name in PERSON_NAMES)
        labels = (_label(word) for word in words if isinstance(word, str))
        return next((label for label in labels if self._is_name(label)), "")

    def _is_name(self, label: str) -> bool:
        """One word of letters may be anybody's name; with a digit in it, it is a phone's."""
        if not label or label == self.extension or CHANNEL.fullmatch(label):
            return False
        return not EXTENSION.fullmatch(label) or not any(map(str.isdigit, label))

    @property
    def queue_name(self) -> tuple[str, str] | None:
        """(queue, its name), where the entry tells both of one queue."""
        name = self.fields.get("queue_name")
        label = _label(name) if isinstance(name, str) else ""
        return (self.queues[0], label) if label and self.queues not in ((), (label,)) else None

    @property
    def is_odd(self) -> bool:
        """It has a status, and nobody knows what that means."""
        words = (str(self.fields.get(name) or "").strip().lower() for name in STATUS_NAMES)
        return self.status is None and any(word not in SILENT_WORDS for word in words)


def parse(text: str) -> Any:
    """The JSON value in `text`, or NOT_JSON."""
    try:
        # A call's id may be a number with a fraction, whose last zeros count.
        return json.loads(text, parse_float=str, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return NOT_JSON


def phones_in(entries: Iterable[Entry], asked: Collection[str]) -> list[PhoneState]:
    """The phones that were asked for, each once. Parts of an answer that disagree tell nothing."""
    told = _by_extension(entry for entry in entries if entry.fields and entry.extension in asked)
    return [
        PhoneState(extension, _agreed(e.status for e in parts), _agreed(e.paused for e in parts))
        for extension, parts in told.items()
    ]


def members_in(entries: Iterable[Entry]) -> list[Member]:
    """Every extension once, with all its queues."""
    return [
        Member(
            extension,
            tuple(dict.fromkeys(queue for entry in parts for queue in entry.queues)),
            _agreed(entry.paused for entry in parts),
            _agreed(entry.status for entry in parts),
            _agreed(entry.name or None for entry in parts) or "",
            tuple(dict.fromkeys(pair for entry in parts if (pair := entry.queue_name))),
        )
        for extension, parts in _by_extension(entries).items()
    ]


def entries_in(value: Any, asked: Collection[str] = ()) -> list[Entry]:
    """Every extension that `value` speaks of, however nested; `asked` are known extensions."""
    found: list[Entry] = []
    for entry in _walk(value, (), frozenset(asked), 0):
        found.append(entry)
        if len(found) >= MAX_ENTRIES:
            break
    return found


def is_empty(value: Any, depth: int = 0) -> bool:
    """An answer that clearly says "none": an empty list, bare or in wrappers."""
    if isinstance(value, dict) and depth <= MAX_DEPTH:
        wrapped = [inner for name, inner in value.items() if name.strip().lower() in WRAPPERS]
        return bool(wrapped) and all(is_empty(inner, depth + 1) for inner in wrapped)
    return isinstance(value, list) and not value


def status_of(word: object) -> Status | None:
    if not isinstance(word, str):
        return None
    return STATUS_WORDS.get(re.sub(r"[\s_+-]", "", word).lower())


def flag_of(value: object) -> bool | None:
    word = str(value).strip().lower()
    return True if word in TRUE_WORDS else False if word in FALSE_WORDS else None


def extension_of(value: object) -> str:
    """The extension that a text or number names; "" for none."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value).strip()
    if channel := CHANNEL.fullmatch(text):
        text = channel[1]
    return text if EXTENSION.fullmatch(text) else ""


def _walk(
    value: Any, queues: tuple[str, ...], asked: frozenset[str], depth: int
) -> Iterator[Entry]:
    if depth > MAX_DEPTH:
        return
    if isinstance(value, list):
        for item in value:
            yield from _walk(item, queues, asked, depth + 1)
    elif isinstance(value, dict):
        yield from _walk_object(value, queues, asked, depth)
    elif depth and (extension := extension_of(value)) and _is_bare_member(value):
        yield Entry(extension, queues=queues)


def _walk_object(
    value: dict[str, Any], queues: tuple[str, ...], asked: frozenset[str], depth: int
) -> Iterator[Entry]:
    fields = {name.strip().lower(): inner for name, inner in value.items()}
    queues = queues_of(fields) or queues
    holds_more = any(isinstance(fields.get(name), list | dict) for name in WRAPPERS)
    named = next((e for name in EXTENSION_NAMES if (e := extension_of(fields.get(name)))), "")
    if named and not holds_more:
        yield Entry(named, fields, queues)
        return
    for name, inner in value.items():
        yield from _walk_named(name.strip(), inner, queues, asked, depth + 1)


def _walk_named(
    name: str, inner: Any, queues: tuple[str, ...], asked: frozenset[str], depth: int
) -> Iterator[Entry]:
    """A field of an object that is no entry: keyed by extension, by queue, or a wrapper."""
    may_name = name in asked or DIGITS.fullmatch(name) is not None
    extension = extension_of(name) if may_name else ""
    if isinstance(inner, str) and extension and (name in asked or status_of(inner)):
        yield Entry(extension, {"status": inner}, queues)
    elif isinstance(inner, dict) and extension and _describes_a_phone(inner):
        fields = {key.strip().lower(): value for key, value in inner.items()}
        yield Entry(extension, fields, queues_of(fields) or queues)
    elif isinstance(inner, list | dict):
        is_queue = not queues and DIGITS.fullmatch(name) and name not in asked
        yield from _walk(inner, (name,) if is_queue else queues, asked, depth)


def _describes_a_phone(fields: Mapping[str, Any]) -> bool:
    names = {name.strip().lower() for name in fields}
    has_own_name = not names.isdisjoint(EXTENSION_NAMES)
    return not has_own_name and not names.isdisjoint((*STATUS_NAMES, *PAUSE_NAMES, *QUEUE_NAMES))


def _is_bare_member(value: object) -> bool:
    text = str(value).strip()
    return bool(DIGITS.fullmatch(text) or CHANNEL.fullmatch(text))


def queues_of(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """The queues that an entry or its wrapper names: one, several in a list, or with commas."""
    value = next((fields[name] for name in QUEUE_NAMES if fields.get(name)), "")
    if isinstance(value, str):
        value = value.split(",")
    parts = value if isinstance(value, list) else [value]
    names = (_label(part) for part in parts if isinstance(part, str | int))
    return tuple(dict.fromkeys(name for name in names if name))


def _label(value: str | int) -> str:
    """A name as it may be shown and compared; "" for what is too long or can't be seen."""
    name = unicodedata.normalize("NFC", str(value).strip())
    return name if len(name) <= QUEUE_LENGTH and is_visible(name) else ""


def _by_extension(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.extension, []).append(entry)
    return groups


def _agreed(values: Iterable[T | None]) -> T | None:
    told = {value for value in values if value is not None}
    return told.pop() if len(told) == 1 else None


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
