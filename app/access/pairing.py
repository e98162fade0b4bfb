"""Letting a new screen in: it shows a code, and the administrator who approves sees where it is.

In memory only: after a restart a screen shows a new code.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from app.access.sessions import key_of
from app.access.walls import Display, WallProblem, Walls
from app.tables import Job, nothing

# No 0 O 1 I L, no letters that look like digits on a far-away screen.
ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
LENGTH = 8
LIFE_S = 10 * 60
AT_ONCE = 50
PER_ADDRESS = 5


@dataclass(slots=True)
class Pairing:
    """One screen that waits, `until` a second of the monotonic clock; `token` once approved."""

    key: str
    code: str
    address: str
    until: float
    token: str = ""


class Pairings:
    """The screens that wait to be let in. `monotonic` is a clock in seconds."""

    def __init__(self, walls: Walls, monotonic: Callable[[], float]) -> None:
        self._walls = walls
        self._now = monotonic
        self._by_key: dict[str, Pairing] = {}

    def begin(self, address: str) -> tuple[str, Pairing]:
        """A new code for a screen, and the secret by which that screen alone will be let in.

        Raises WallProblem when too many wait already.
        """
        self._forget_old()
        here = sum(pairing.address == address for pairing in self._by_key.values())
        if here >= PER_ADDRESS or len(self._by_key) >= AT_ONCE:
            raise WallProblem("Too many screens wait for approval. Try again in ten minutes.")
        secret = secrets.token_urlsafe(32)
        pairing = Pairing(key_of(secret), self._unused_code(), address, self._now() + LIFE_S)
        self._by_key[pairing.key] = pairing
        return secret, pairing

    def find(self, secret: str) -> Pairing | None:
        """The screen's own pairing, while its code lives."""
        self._forget_old()
        return self._by_key.get(key_of(secret)) if 0 < len(secret) <= 128 else None

    def waiting(self) -> list[Pairing]:
        """The screens that wait, for the administrator's page."""
        self._forget_old()
        return [pairing for pairing in self._by_key.values() if not pairing.token]

    def shown(self, code: str) -> Pairing:
        """The screen that waits with this code. Raises WallProblem."""
        wanted = normal(code)
        for pairing in self.waiting():
            if secrets.compare_digest(pairing.code, wanted):
                return pairing
        raise WallProblem("No screen shows this code now. Read it again: it changes.", "code")

    async def approve(self, code: str, display: Display, by: str, along: Job = nothing) -> Pairing:
        """Let the screen with this code in. Raises WallProblem.

        `along` is done in the same transaction.
        """
        pairing = self.shown(code)
        # Spent before the wait, so that two clicks make one wall.
        pairing.token = "spent"  # noqa: S105 (says that there is none yet)
        pairing.token = await self._added(pairing, display, by, along)
        return pairing

    async def _added(self, pairing: Pairing, display: Display, by: str, along: Job) -> str:
        try:
            return await self._walls.add(display, by, pairing.address, along)
        except BaseException:
            pairing.token = ""
            raise

    def collect(self, secret: str) -> str:
        """The token for the approved screen, once; "" while nobody has approved it."""
        pairing = self.find(secret)
        if pairing is None or pairing.token in ("", "spent"):
            return ""
        return self._by_key.pop(pairing.key).token

    def _unused_code(self) -> str:
        taken = {pairing.code for pairing in self._by_key.values()}
        while True:
            code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
            if code not in taken:
                return code

    def _forget_old(self) -> None:
        now = self._now()
        self._by_key = {key: each for key, each in self._by_key.items() if each.until > now}


def normal(code: str) -> str:
    """A code as typed by a person: any case, with or without the space; ASCII only."""
    kept = (letter for letter in code.upper() if letter.isascii() and letter.isalnum())
    return "".join(kept)[:32]
