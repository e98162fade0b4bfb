"""Keeps secrets out of texts and out of the log, however they are written there."""

import base64
import html
import json
import logging
import re
import traceback
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus

from app.pbx.secret import Secret
from app.pbx.suspicion import Suspicion

STARS = "***"
LOGGERS = ("", "uvicorn", "uvicorn.error", "uvicorn.access", "aiohttp", "asyncio")
# Shorter ones would be found by chance in phone numbers, and can not be kept out of texts.
SHORTEST = 4
# Base64 of less than this is too short to tell from other text.
SHORTEST_BASE64 = 6
# One pattern of more would take seconds to make, and milliseconds for each line.
FEW = 30


class Redaction:
    """Replaces its secrets by stars: raw, percent-encoded, JSON- and HTML-escaped, base64."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        texts = {text for secret in secrets if len(text := secret.reveal()) >= SHORTEST}
        self._spellings = tuple({form for text in texts for form in spellings(text)})
        is_few = len(texts) <= FEW
        self._pattern = _pattern_of(texts) if texts and is_few else None
        self._suspicion = None if is_few else Suspicion(texts, base64_cores)

    def clean(self, text: str) -> str:
        """`text` without the secrets, even where one is escaped in several ways at once."""
        if self._suspicion is not None:
            for secret in self._suspicion.about(text):
                text = _pattern_of_one(secret).sub(STARS, text)
            return text
        return self._pattern.sub(STARS, text) if self._pattern else text

    def appears_in(self, text: str) -> bool:
        """Whether a secret is in `text` in one of its usual spellings; quick on long texts."""
        return any(spelling in text for spelling in self._spellings)


class RedactingFilter(logging.Filter):
    """Cleans a record before any handler formats it."""

    def __init__(self, redaction: Redaction) -> None:
        super().__init__()
        self._clean = redaction.clean

    def filter(self, record: logging.LogRecord) -> bool:
        self._clean_message(record)
        self._clean_traceback(record)
        # uvicorn's formatter takes this extra in place of the message.
        if isinstance(coloured := getattr(record, "color_message", None), str):
            record.color_message = self._clean(coloured)
        return True

    def _clean_message(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - a wrong log call must not fail its caller; logging agrees
            message, record.args = str(record.msg), None
        if (cleaned := self._clean(message)) == message and record.args is not None:
            return
        record.args = self._clean_arguments(record.args)
        if self._clean(record.getMessage()) != record.getMessage() or not record.args:
            record.msg, record.args = cleaned, None

    def _clean_arguments(self, arguments: Any) -> Any:
        # Kept apart, because uvicorn's access formatter takes the arguments out one by one.
        if isinstance(arguments, Mapping):
            return {name: self._clean_argument(value) for name, value in arguments.items()}
        return tuple(self._clean_argument(value) for value in arguments or ())

    def _clean_argument(self, value: object) -> object:
        cleaned = self._clean(str(value))
        return value if cleaned == str(value) else cleaned

    def _clean_traceback(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[0] is not None:
            written = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
            if (cleaned := self._clean(written)) != written:
                record.exc_text, record.exc_info = cleaned, None
        elif record.exc_text:
            record.exc_text = self._clean(record.exc_text)
        if record.stack_info:
            record.stack_info = self._clean(record.stack_info)


class RedactingFactory:
    """Makes log records clean from the start, whatever logger or handler they go through."""

    def __init__(self, inner: Callable[..., logging.LogRecord], sieve: RedactingFilter) -> None:
        self.inner = inner
        self._sieve = sieve

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = self.inner(*args, **kwargs)
        self._sieve.filter(record)
        return record


def install_redaction(secrets: Iterable[Secret]) -> Callable[[], None]:
    """Clean everything that is logged from now on; the answer undoes it.

    The filters on loggers and handlers see what a record was given after it was made (`extra`).
    """
    sieve = RedactingFilter(Redaction(secrets))
    loggers = [logging.getLogger(name) for name in LOGGERS]
    places = [*loggers, *(handler for logger in loggers for handler in logger.handlers)]
    for place in places:
        place.addFilter(sieve)
    inner = logging.getLogRecordFactory()
    logging.setLogRecordFactory(RedactingFactory(inner, sieve))

    def undo() -> None:
        logging.setLogRecordFactory(inner)
        for place in places:
            place.removeFilter(sieve)

    return undo


def spellings(text: str) -> set[str]:
    """The ways in which libraries write `text`, each with one escaping throughout."""
    percent = {quote(text, safe=""), quote(text), quote_plus(text)}
    percent |= {_lower_hex(form) for form in percent} | {quote(form) for form in percent}
    escaped = {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    escaped |= {form.replace("/", r"\/") for form in escaped}
    return {text, repr(text)[1:-1], html.escape(text), *percent, *escaped, *base64_cores(text)}


def base64_cores(text: str) -> set[str]:
    """The part of `text`'s base64 that stands whatever precedes and follows it (three offsets)."""
    raw = text.encode()
    if len(raw) < SHORTEST_BASE64:
        return set()
    cores = set()
    for offset, dirty in ((0, 0), (1, 2), (2, 3)):
        whole = (offset + len(raw)) * 8 // 6
        plain = base64.b64encode(bytes(offset) + raw).decode()[dirty:whole]
        cores |= {plain, plain.replace("+", "-").replace("/", "_")}
    return cores


def _pattern_of(texts: Iterable[str]) -> re.Pattern[str]:
    patterns = [_any_mixture(text) for text in sorted(texts, key=len, reverse=True)]
    patterns += [re.escape(form) for text in texts for form in base64_cores(text)]
    return re.compile("|".join(patterns))


@lru_cache(maxsize=64)
def _pattern_of_one(text: str) -> re.Pattern[str]:
    return _pattern_of([text])


def _any_mixture(text: str) -> str:
    return "".join(_any_spelling(part) for part in re.findall(r"\\+|[^\\]", text))


def _any_spelling(part: str) -> str:
    """A character raw or escaped in any way; the raw one comes first, as the likeliest.

    Each way begins with a sign of its own, so a text is tried in few ways however odd it is. For
    that a run of backslashes, which escapes only lengthen, is one part.
    """
    if part[0] == "\\":
        count = len(part)
        return rf"(?:\\{{{count},{7 * count}}}|(?i:%(?:25)?5c|&#(?:92|x5c);){{{count}}})"
    percent = "".join(f"%(?:25)?{byte:02x}" for byte in part.encode())
    code = ord(part)
    ways = [percent, f"&#(?:{code}|x0{{0,4}}{code:x});", rf"\\{{1,7}}(?:{_escapes(part)})"]
    named = html.escape(part)
    ways += [re.escape(named)] if named != part else []
    ways += [r"\+"] if part == " " else []
    return f"(?:{re.escape(part)}|(?i:{'|'.join(ways)}))"


def _escapes(character: str) -> str:
    """What may follow the backslashes: JSON in JSON in JSON has seven of them."""
    # JSON has two escapes for a character beyond 16 bits.
    units = re.findall("....", character.encode("utf-16-be").hex())
    code = ord(character)
    short = character if character in "'/" else json.dumps(character)[2:-1]
    is_short = character in "'/" or json.dumps(character)[1] == "\\"
    escapes = [r"\\{1,7}".join(f"u{unit}" for unit in units), f"x{code:02x}", f"U{code:08x}"]
    return "|".join([*escapes, re.escape(short)] if is_short else escapes)


def _lower_hex(text: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), text)
