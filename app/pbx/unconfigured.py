"""The PBX that nobody has told us of: every action says what is missing."""

from collections.abc import Sequence
from datetime import date
from typing import NoReturn

from app.domain.events import CallRecorded
from app.domain.states import Direction
from app.pbx import Finding, Member, PbxError, PhoneState, SpyMode, Unreadable
from app.sentences import Sentence

SENTENCE = Sentence(
    "No PBX is configured: set PITWALL_PBX_URL and PITWALL_PBX_KEY (or PITWALL_PBX_KEY_FILE) "
    "and start Pitwall again. The board works without; actions do not."
)


class UnconfiguredPbx:
    """A Pbx that can do nothing, in words."""

    @property
    def unreadable(self) -> Sequence[Unreadable]:
        return ()

    async def dial(self, extension: str, phone: str) -> None:
        self._refuse()

    async def phones(self, extensions: Sequence[str]) -> list[PhoneState]:
        self._refuse()

    async def spy(
        self, supervisor: str, extension: str, mode: SpyMode, direction: Direction | None
    ) -> None:
        self._refuse()

    async def members(self) -> list[Member]:
        self._refuse()

    async def pause(self, extension: str, paused: bool) -> None:
        self._refuse()

    async def records(
        self, day_from: date, day_to: date, callid: str | None = None
    ) -> list[CallRecorded]:
        self._refuse()

    async def test_connection(self) -> list[Finding]:
        self._refuse()

    async def close(self) -> None:
        """Nothing is open."""

    def _refuse(self) -> NoReturn:
        raise PbxError("unconfigured", SENTENCE)
