"""A PBX that tells what a test lets it tell, and notes each question."""

from collections.abc import Sequence
from datetime import date, datetime

from app.domain.events import CallRecorded
from app.domain.floor import Floor
from app.domain.states import Status
from app.log import EventLog
from app.pbx import Member, PbxError, PhoneState
from app.pbx.unconfigured import UnconfiguredPbx
from tests.story import UTC_ZONE


class AskedPbx(UnconfiguredPbx):
    """`fails` is what it raises to a question: members, phones, records, or those of one day.

    `asked` are the questions it got. Records are found by the day of their start, in UTC, which
    `begins` has (ms by callid) where a record does not tell it.
    """

    def __init__(self, *kept: CallRecorded) -> None:
        self.kept = list(kept)
        self.begins: dict[str, int] = {}
        self.listed: list[Member] = []
        self.fails: dict[str, PbxError] = {}
        self.asked: list[str] = []

    async def members(self) -> list[Member]:
        self._hear("members")
        return self.listed

    async def phones(self, extensions: Sequence[str]) -> list[PhoneState]:
        self._hear("phones")
        return [PhoneState(extension, Status.ON) for extension in extensions]

    async def records(
        self, day_from: date, day_to: date, callid: str | None = None
    ) -> list[CallRecorded]:
        days = f"{day_from}" if day_from == day_to else f"{day_from} to {day_to}"
        self._hear("records", days if callid is None else f"of {callid}")
        return [
            record
            for record in self.kept
            if day_from <= self.day_of(record) <= day_to and callid in {None, record.callid}
        ]

    def day_of(self, record: CallRecorded) -> date:
        """The day on which the call began, in UTC."""
        began = self.begins.get(record.callid, record.started)
        assert began is not None
        return datetime.fromtimestamp(began / 1000, UTC_ZONE).date()

    def _hear(self, question: str, what: str = "") -> None:
        whole = f"{question} {what}".strip()
        self.asked.append(whole)
        failure = self.fails.get(whole) or self.fails.get(question)
        if failure is not None:
            raise failure


async def follow(log: EventLog, floor: Floor) -> None:
    """Let the floor hear all that is in the log."""
    if floor.state.seq < log.last_seq:
        async for records in log.follow(floor.state.seq):
            for record in records:
                floor.apply(record.seq, record.at, record.event)
            if floor.state.seq >= log.last_seq:
                break
