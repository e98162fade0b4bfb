"""Requests that are no HTTP: how many of each address, and how the newest one began.

Only its first line is told, and of that only what a webhook may be told of: no token, no number,
nothing that anybody typed. White space stays as it came, for it is the likeliest fault.
"""

import re

from app.masking import CONTROL, PLAIN_FIELDS, masked, masked_number, without_tokens
from app.pbx.voicecloud import WEBHOOKS
from app.peers import PeerCounts, source_of
from app.received import FIELDS, PLAIN_NAME

METHODS = frozenset("GET HEAD POST PUT PATCH DELETE OPTIONS".split())
REQUEST = re.compile(r"([A-Z]+) (.*?)( HTTP/[0-9.]+ *)?")
ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
ESCAPED = "%••"
# As many digits as may be a number, however they are set apart.
NUMBER_DIGITS = 7
PATH_WORDS = frozenset({"hook"} | {word for path in WEBHOOKS for word in path.split("/")})


class Unparsable(PeerCounts):
    """Counts per address, with the `sample` of the newest request."""

    def add(self, peer: str, begun: bytes = b"") -> int:
        """Count one that began so; return how many this address sent within the present minute."""
        in_minute = super().add(peer)
        self._seen[source_of(peer)].sample = told(begun)
        return in_minute


def told(begun: bytes) -> str:
    """The request's first line as a person may see it; of what is no request, only its shape."""
    line = begun.lstrip(b"\r\n").partition(b"\n")[0].removesuffix(b"\r")
    text = without_tokens(CONTROL.sub("�", line.decode(errors="replace")))
    request = REQUEST.fullmatch(text)
    if request is None or request[1] not in METHODS:
        return re.sub(r"\w", "•", text)
    path, mark, query = request[2].partition("?")
    pairs = "&".join(_pair(pair) for pair in query.split("&"))
    return f"{request[1]} {_path(path)}{mark}{pairs}{request[3] or ''}"


def _path(path: str) -> str:
    """The words that webhooks' paths are made of; a token is none."""
    return "/".join(
        word if word.lower() in PATH_WORDS else _hidden(word) for word in path.split("/")
    )


def _pair(pair: str) -> str:
    name, is_given, value = pair.partition("=")
    if name in FIELDS:
        return f"{name}={_value(name, value)}" if is_given else name
    return f"{name}={_hidden(value)}" if is_given and PLAIN_NAME.fullmatch(name) else _hidden(pair)


def _value(name: str, value: str) -> str:
    value = masked(name, ESCAPE.sub(ESCAPED, value))
    is_number = sum(letter.isdigit() for letter in value) >= NUMBER_DIGITS
    return masked_number(value) if is_number and name not in PLAIN_FIELDS else value


def _hidden(text: str) -> str:
    return re.sub(r"\S+", "…", text)
