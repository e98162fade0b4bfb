"""Remembers the newest answers that could not be understood, without the secrets in them."""

from collections.abc import Sequence
from dataclasses import replace

from app.pbx import Unreadable
from app.pbx.redaction import Redaction

KEPT = 20
SAMPLE_LENGTH = 500
WORDS_LENGTH = 120
# Megabytes are not searched for what is shown of them. What a cut may leave of a key at the end
# is shorter than TAIL.
SEARCHED = 16 * 1024
TAIL = 1024


class UnreadableAnswers:
    """At most twenty; the same answer to the same call again is only counted."""

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction
        self._kept: dict[tuple[str, str, str], Unreadable] = {}

    def __call__(self) -> Sequence[Unreadable]:
        """Oldest first."""
        return tuple(self._kept.values())

    def keep(self, call: str, reason: str, text: str) -> None:
        sample = presentable(self._redaction, text, SAMPLE_LENGTH)
        entry = self._kept.pop((call, reason, sample), Unreadable(call, reason, sample, times=0))
        self._kept[call, reason, sample] = replace(entry, times=entry.times + 1)
        if len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]


def presentable(redaction: Redaction, text: str, length: int = WORDS_LENGTH) -> str:
    """The beginning of what the PBX said: redacted first, then on one line, then cut."""
    cleaned = redaction.clean(text[:SEARCHED])
    if len(text) > SEARCHED:
        cleaned = cleaned[:-TAIL]
    visible = "".join(c if c.isprintable() else " " for c in cleaned)
    line = " ".join(visible.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"
