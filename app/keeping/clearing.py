"""Takes one telephone number out of words, of JSON and of kept floors; nothing else changes.

Pure. Names by which stored things find each other (call ids, extensions, queues) are left alone.
"""

import json
import zlib
from typing import Any

from app.domain.numbers import caller_key, written
from app.packing import compressed, text_of

INSTEAD = "•••"
# These say nothing once the number is out of them.
WHOLE = frozenset({"phone", "did", "recording"})
IDENTIFIERS = frozenset(
    {"callid", "extension", "agent", "queue", "queues", "legs", "conflicts", "supervisor"}
    | {"command", "rule", "alarm", "key", "subject", "channel"}
)


class Clearing:
    """Takes the number with this caller key away. None as an answer: it was not there."""

    def __init__(self, key: str) -> None:
        self.key = key
        self._pattern = written(key)

    def is_in(self, text: str | None) -> bool:
        """The number can be read in the text, however it is written."""
        return bool(text and self._pattern.search(text))

    def words(self, text: str) -> str:
        """The text with dots where the number was."""
        return self._pattern.sub(INSTEAD, text)

    def body(self, text: str) -> str | None:
        """The JSON without the number; where it is damaged, at least its text."""
        if not self.is_in(text):
            return None
        try:
            value = json.loads(text)
        except ValueError:
            return self.words(text)
        cleared = self._value(value, "")
        if cleared == value:
            return None
        return json.dumps(cleared, ensure_ascii=False, separators=(",", ":"))

    def floor(self, body: bytes) -> bytes | None:
        """The kept floor without the number, packed as it was meant to be. None: or unreadable."""
        try:
            cleared = self.body(text_of(body).decode())
        except (zlib.error, UnicodeDecodeError):
            return None
        return None if cleared is None else compressed(cleared.encode())

    def _value(self, value: Any, name: str) -> Any:
        """The value of that name; a list's members have the name of the list."""
        if isinstance(value, dict):
            return {inner: self._value(each, inner) for inner, each in value.items()}
        if isinstance(value, list):
            return [self._value(each, name) for each in value]
        if not isinstance(value, str) or name in IDENTIFIERS:
            return value
        return self._text(value, name)

    def _text(self, text: str, name: str) -> str:
        if name not in WHOLE:
            return self.words(text)
        is_it = name == "phone" and caller_key(text, "") == self.key
        return "" if is_it or self.is_in(text) else text
