"""A webhook's parameters out of bytes: query strings, forms and JSON objects. Pure.

A value that can't be read (given twice with different values, not UTF-8, not a scalar) becomes
one of the UNREADABLE texts. They begin with NUL, which no field accepts: so an identity field is
refused, a descriptive one dropped, and an unknown parameter goes on being ignored.
"""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from app.pbx import WebhookError

QUERY_BYTES = 8 * 1024
BODY_BYTES = 64 * 1024
PARAMETERS = 64
NAME_LENGTH = 64
TOO_LARGE = f"the body is longer than {BODY_BYTES} bytes"

GIVEN_TWICE = "\x00twice"
NOT_UTF8 = "\x00encoding"
NOT_SCALAR = "\x00type"
UNREADABLE = {
    GIVEN_TWICE: "is given twice with different values",
    NOT_UTF8: "is not UTF-8 text",
    NOT_SCALAR: "must be text or a number",
}


class QueryTooLong(WebhookError):
    """A query string of more bytes than a webhook may have."""


class BodyTooLarge(WebhookError):
    """A body of more bytes than a webhook may have."""


class UnknownType(WebhookError):
    """A body in a format that no PBX sends."""


def parse_query(raw: bytes) -> dict[str, str]:
    """The parameters of a query string. Raises WebhookError when it is too long or too many."""
    if len(raw) > QUERY_BYTES:
        raise QueryTooLong(f"the query string is longer than {QUERY_BYTES} bytes")
    return _parse_pairs(raw)


def parse_body(body: bytes, content_type: str) -> dict[str, str]:
    """The parameters of a POST body: a JSON object or a form. Raises WebhookError.

    What looks like a JSON object is one, whatever the header says: many PBXs send a wrong type.
    """
    if len(body) > BODY_BYTES:
        raise BodyTooLarge(TOO_LARGE)
    if not body.strip():
        return {}
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        raise UnknownType("send a JSON object or a URL-encoded form")
    if kind.endswith("json") or body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return _parse_json(body)
    if kind in ("application/x-www-form-urlencoded", ""):
        return _parse_pairs(body)
    raise UnknownType("send a JSON object or a URL-encoded form")


def merge(query: dict[str, str], body: dict[str, str]) -> dict[str, str]:
    """Both together; a name in both must have one value."""
    if not query or not body:
        return query or body
    if len(query) + len(body) > PARAMETERS:
        raise WebhookError(f"there are more than {PARAMETERS} parameters")
    return _collect([*query.items(), *body.items()])


def _parse_pairs(raw: bytes) -> dict[str, str]:
    if not raw:
        return {}
    # As Latin-1 every byte is one character, and text without escapes needs no second look.
    text = raw.decode("latin-1")
    parts = text.split("&")
    if len(parts) > PARAMETERS:
        raise WebhookError(f"there are more than {PARAMETERS} parameters")
    pairs = [part.partition("=")[::2] for part in parts]
    if "%" in text or "+" in text or not text.isascii():
        pairs = [(_text(name), _text(value)) for name, value in pairs]
    found = _collect(pairs)
    found.pop("", None)
    return found


def _text(raw: str) -> str:
    if "+" in raw:
        raw = raw.replace("+", " ")
    if "%" not in raw and raw.isascii():
        return raw
    try:
        return unquote_to_bytes(raw.encode("latin-1")).decode()
    except UnicodeDecodeError:
        return NOT_UTF8


def _parse_json(body: bytes) -> dict[str, str]:
    """Not msgspec: it takes the last of two equal keys silently, and refuses a lone surrogate
    even in a parameter that nobody reads."""
    try:
        pairs = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=tuple,
            parse_int=str,
            parse_float=str,
        )
    except (ValueError, RecursionError):
        raise WebhookError("the body is not a JSON object in UTF-8") from None
    if not isinstance(pairs, tuple):
        raise WebhookError("the body must be one JSON object")
    if len(pairs) > PARAMETERS:
        raise WebhookError(f"there are more than {PARAMETERS} parameters")
    return _collect((name, _scalar(value)) for name, value in pairs if value is not None)


def _collect(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        if len(name) > NAME_LENGTH:
            raise WebhookError(f"a parameter name is longer than {NAME_LENGTH} characters")
        if name in found and found[name] != value:
            value = GIVEN_TWICE
        found[name] = value
    return found


def _scalar(value: Any) -> str:
    """Numbers are text already; what is no text here is a list, an object, a truth value or NaN."""
    return value if isinstance(value, str) else NOT_SCALAR
