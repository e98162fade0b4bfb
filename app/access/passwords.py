"""Passwords: which are good enough, how they are kept, and what a wrong one costs the guesser."""

import asyncio
import re

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.sentences import Sentence

SHORTEST = 12
LONGEST = 256
ATONCE = 2
WAITING = 50

# The hash of a password nobody has: verifying against it takes as long as against a real one.
_NOBODY = (
    "$argon2id$v=19$m=19456,t=2,p=1$"
    "zRZQ8nPLFpphSXCqGrWDMw$EpamvfxReyG/EnXOreEHE8ygM8LYEdL3tst6HvGxwU8"
)

# Twelve characters keep out most lists of stolen passwords; these are the words people stretch.
_WORDS = """
    password passw0rd p@ssword p@ssw0rd passwort matkhau motdepasse contrasena qwerty
    qwertyuiop asdfghjkl zxcvbnm azerty letmein welcome iloveyou admin administrator supervisor
    superuser root login master secret changeme default callcenter callcentre telephone pitwall
    company football baseball dragon monkey sunshine princess starwars superman batman trustno
    correcthorsebatterystaple thisismypassword mypassword newpassword
"""
_COMMON = frozenset(_WORDS.split())
_RUNS = "0123456789012345678901234567890 abcdefghijklmnopqrstuvwxyz qwertyuiopasdfghjklzxcvbnm"
GUESSABLE = Sentence(
    "This password is one of the first that an attacker tries. Choose another one."
)


class PasswordsBusy(Exception):
    """So many sign-ins are being checked at once that this one was not; try again shortly."""


def problem_with(password: str, username: str = "") -> str:
    """What is wrong with a new password, in words for the person who chose it; "" when nothing."""
    if len(password) < SHORTEST:
        return Sentence(
            "Use at least {least} characters. Several words in a row are easy to keep in mind.",
            least=SHORTEST,
        )
    if len(password) > LONGEST:
        return Sentence("Use at most {most} characters.", most=LONGEST)
    if _is_guessable(password.casefold(), username.casefold()):
        return GUESSABLE
    return ""


def _is_guessable(password: str, username: str) -> bool:
    core = re.sub(r"[\W\d_]+", "", password)
    return (
        len(set(password)) < 5
        or core in _COMMON
        or re.sub(r"^[\W\d_]+|[\W\d_]+$", "", password) in _COMMON
        or _is_repeated(core)
        or any(password in run + run[::-1] for run in _RUNS.split())
        or bool(username and len(username) > 3 and core == re.sub(r"[\W\d_]+", "", username))
    )


def _is_repeated(core: str) -> bool:
    """One common word twice or more."""
    return any(len(word) > 3 and not core.replace(word, "") for word in _COMMON if word in core)


class Passwords:
    """Argon2id with OWASP's minimum, off the event loop, never more than two at a time."""

    def __init__(self, *, time_cost: int = 2, memory_cost: int = 19456) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_cost, parallelism=1)
        self._gate = asyncio.Semaphore(ATONCE)
        self._waiting = 0

    async def hash(self, password: str) -> str:
        return await self._apart(password, None)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether `password` is the stored one. Takes as long when there is none (`stored` None).

        Raises PasswordsBusy when too many wait already.
        """
        matches = await self._apart(password, _NOBODY if stored is None else stored)
        return matches == "yes" and stored is not None

    async def _apart(self, password: str, stored: str | None) -> str:
        if self._waiting >= WAITING:
            raise PasswordsBusy(
                "Too many people sign in at this moment. Try again in a few seconds."
            )
        self._waiting += 1
        try:
            async with self._gate:
                return await asyncio.to_thread(self._work, password, stored)
        finally:
            self._waiting -= 1

    def _work(self, password: str, stored: str | None) -> str:
        # A lone surrogate can't be encoded otherwise, and a sign-in must never be a crash.
        secret = password.encode("utf-8", "surrogatepass")
        if stored is None:
            return self._hasher.hash(secret)
        try:
            self._hasher.verify(stored, secret)
        except (VerificationError, InvalidHashError):
            return "no"
        return "yes"
