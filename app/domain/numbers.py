"""Telephone numbers as what calls of one person have in common, and the calls found by them."""

import re
from collections.abc import Collection, Iterable

from app.domain.model import FloorState

# Fewer digits are an extension or a hidden number: no key to find the same person by.
FEWEST_DIGITS = 6
# The country's code and trunk zero differ by route: +84 938…, 84938…, 0938….
KEY_DIGITS = 9
NO_DIGIT = re.compile(r"[^0-9]")
# What people and PBXs put between two digits, also as JSON writes it: 0938 363-739, (0938).363.739.
BETWEEN = r"(?:\\[a-z]|[^0-9A-Za-z]){0,3}"


def digits_of(phone: str) -> str:
    """The number's digits alone."""
    return NO_DIGIT.sub("", phone)


def caller_key(phone: str, callid: str) -> str:
    """What calls of one person have in common; a number too short to tell stands for its call."""
    digits = digits_of(phone)
    return digits[-KEY_DIGITS:] if len(digits) >= FEWEST_DIGITS else f"#{callid}"


def written(key: str) -> re.Pattern[str]:
    """Finds the number of that caller key in any text, as in the name of a recording.

    A short one only where it stands by itself: its digits are in many a longer number.
    """
    digits = BETWEEN.join(key)
    alone = rf"(?<![0-9])(?<![0-9][ .]){digits}(?![0-9])"
    return re.compile(digits if len(key) == KEY_DIGITS else alone)


class Numbers:
    """The calls of a floor by their callers. Not part of the state: made from it, and kept up.

    Abandons would else go through all calls of the day, which a queue on fire has by the thousand.
    """

    def __init__(self, state: FloorState) -> None:
        # Most callers call once, and a set of one is four times as large as its callid.
        self._callids: dict[str, str | set[str]] = {}
        self._keys: dict[str, str] = {}
        self.note(state, state.calls)

    def note(self, state: FloorState, callids: Iterable[str]) -> None:
        """Look again at these calls: a number, once told, stays."""
        for callid in callids:
            call = state.calls.get(callid)
            if call is None:
                self._forget(callid)
            elif call.phone and callid not in self._keys:
                key = self._keys[callid] = caller_key(call.phone, callid)
                self._add(key, callid)

    def of(self, key: str) -> Collection[str]:
        """The callids of this caller's calls, as far as their number was told."""
        held = self._callids.get(key, ())
        return (held,) if isinstance(held, str) else held

    def _add(self, key: str, callid: str) -> None:
        held = self._callids.setdefault(key, callid)
        if isinstance(held, set):
            held.add(callid)
        elif held != callid:
            self._callids[key] = {held, callid}

    def _forget(self, callid: str) -> None:
        key = self._keys.pop(callid, None)
        if key is None:
            return
        held = self._callids[key]
        if isinstance(held, set):
            held.discard(callid)
        if not held or held == callid:
            del self._callids[key]
