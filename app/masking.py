"""Telephone numbers as a person without the right to see them may see them: the last 3 digits.

And of tokens, cookies and links that Pitwall gave out, whose texts it does not keep: nothing.
"""

import logging
import re

# Seven digits or more in any other field may be a number that strayed there.
NUMBER = re.compile(r"[0-9]{7,}")
# With a trunk zero or a country's code, and not a part of a longer word: a hash, a time, an id.
LOGGED_NUMBER = re.compile(r"(?<![\w.:-])(?:\+[1-9]|0|%2[bB]|84)[0-9]{8,14}(?![\w:-]|\.[0-9])")
# As people type it: 0938 363 739, +84 (938) 363-739.
TYPED_NUMBER = re.compile(r"(?<![\w.:-])(?:\+[1-9]|\(?0)(?:[ .()-]{0,2}[0-9]){8,14}(?!\w)")
# What `secrets.token_urlsafe(32)` makes, alone or as a program's token, in an address or beside it.
TOKEN = re.compile(
    r"(?:(?<![A-Za-z0-9_-])|(?<=%[0-9A-Fa-f]{2}))(?:pw_)?[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"
)
DIGIT = re.compile(r"[0-9]")
NUMBER_FIELDS = frozenset({"phone", "did"})
# These are full of digits and are never numbers, if they are what they should be.
PLAIN_FIELDS = frozenset({"calldate", "callid"})
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def masked_number(number: str) -> str:
    """`0938363739` becomes `•••••••739`; everything that is no digit stays."""
    to_hide = max(len(DIGIT.findall(number)) - 3, 0)
    return DIGIT.sub("•", number, count=to_hide) if to_hide else number


def masked_body(body: bytes) -> str:
    """What came instead of parameters: its shape, without any digit."""
    return DIGIT.sub("•", CONTROL.sub("�", body.decode(errors="replace")))


def masked_words(text: str) -> str:
    """What a person typed or the PBX said, where it is kept for long: no number is whole."""
    for pattern in (TYPED_NUMBER, NUMBER):
        text = pattern.sub(lambda match: masked_number(match.group()), text)
    return text


def masked(name: str, value: str) -> str:
    """A webhook's parameter for a page or a list; control characters are made visible."""
    value = CONTROL.sub("�", value)
    if name in NUMBER_FIELDS:
        return masked_number(value)
    if name in PLAIN_FIELDS:
        return value
    return NUMBER.sub(lambda match: masked_number(match.group()), value)


def without_tokens(text: str) -> str:
    """The text with stars for whatever looks like a token that Pitwall gave out."""
    return TOKEN.sub("***", text)


class MaskingFormatter(logging.Formatter):
    """Lines of the log, tracebacks among them: no token, of a number the last three digits."""

    def format(self, record: logging.LogRecord) -> str:
        """The whole line is judged, whoever wrote it."""
        line = without_tokens(super().format(record))
        return LOGGED_NUMBER.sub(lambda match: masked_number(match.group()), line)
