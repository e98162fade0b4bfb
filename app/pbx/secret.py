"""A secret that does not print itself, and where it is read from."""

import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

# Shorter ones would be found by chance in phone numbers, and so could not be kept out of texts.
SHORTEST = 4


class Secret:
    """Text that only `reveal()` gives away; everything else shows three stars."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself. Put it nowhere but into the request that needs it."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: object) -> "Secret":
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


def secret_from(environ: Mapping[str, str], name: str) -> Secret | None:
    """The secret in variable `name`, or in the file that `name`_FILE names; None without both.

    Raises ValueError, in words and without the value, when it can't be had.
    """
    text, path = environ.get(name, "").strip(), environ.get(f"{name}_FILE", "")
    if text and path:
        raise ValueError(f"{name} and {name}_FILE are both set; set one of them")
    if path:
        text = _content(Path(path), f"{name}_FILE")
    if not text:
        return None
    if len(text) < SHORTEST or not text.isprintable():
        raise ValueError(f"{name} must be one line of {SHORTEST} or more characters")
    return Secret(text)


def _content(path: Path, name: str) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        text = ""
    if not text:
        raise ValueError(f"{name} must name a text file that holds the key and can be read")
    return text
