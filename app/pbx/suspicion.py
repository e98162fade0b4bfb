"""Which of many secrets may be in a text, told quickly: only those are then looked for thoroughly.

Of text and secret the letters and digits are compared, after whatever escapes them was taken away:
so it does not matter how the text writes what stands between them.
"""

import html
import re
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import unquote_to_bytes

# So many characters are looked up at once; shorter secrets are always suspected.
START = 4
PERCENT = re.compile(r"(?:%(?:25)?[0-9a-f]{2})+", re.IGNORECASE)
ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8});", re.IGNORECASE)
HEX = "[0-9a-fA-F]"
BACKSLASHED = re.compile(rf"\\+(?:u({HEX}{{4}})|x({HEX}{{2}})|U({HEX}{{8}})|[bfnrt])")
OTHERS = re.compile(r"[^A-Za-z0-9]+")


class Suspicion:
    """Over many secrets; `fragments` gives what of one's base64 stands in any text with it."""

    def __init__(self, secrets: Iterable[str], fragments: Callable[[str], Iterable[str]]) -> None:
        self._bare: dict[str, list[tuple[str, str]]] = {}
        self._whole: dict[str, list[tuple[str, str]]] = {}
        self._always: set[str] = set()
        for secret in secrets:
            letters = bare(secret)
            if len(letters) < START:
                self._always.add(secret)
            else:
                self._bare.setdefault(letters[:START], []).append((letters, secret))
            for fragment in fragments(secret):
                self._whole.setdefault(fragment[:START], []).append((fragment, secret))

    def about(self, text: str) -> list[str]:
        """The secrets that may be in the text, the longest first."""
        found = {*self._always, *_found(self._bare, bare(text)), *_found(self._whole, text)}
        return sorted(found, key=len, reverse=True)


def bare(text: str) -> str:
    """The letters (of ASCII) and digits that the text says, however it escapes them."""
    if "%" in text:
        text = PERCENT.sub(_of_percent, text)
    if "&" in text:
        text = ENTITY.sub(lambda match: html.unescape(match[0]), text)
    if "\\" in text:
        text = BACKSLASHED.sub(_of_backslash, text)
    return OTHERS.sub("", text)


def _of_percent(match: re.Match[str]) -> str:
    once = re.sub("%25", "%", match[0]) if "%25" in match[0] else match[0]
    return unquote_to_bytes(once).decode("utf-8", "replace")


def _of_backslash(match: re.Match[str]) -> str:
    digits = match[1] or match[2] or match[3]
    code = int(digits, 16) if digits else 0
    return chr(code) if code <= 0x10FFFF else ""


def _found(index: dict[str, list[tuple[str, str]]], text: str) -> Iterator[str]:
    for at in range(len(text) - START + 1):
        for needle, secret in index.get(text[at : at + START], ()):
            if text.startswith(needle, at):
                yield secret
