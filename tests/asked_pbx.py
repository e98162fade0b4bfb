"""A PBX that tells what a test lets it tell, and notes each question."""

from collections.abc import Sequence
from datetime import date, datetime

from app.domain.days import BusinessDay
from app.domain.events import CallRecorded
from app.domain.floor import Floor
from app.domain.states import Status
from app.log import EventLog
from app.pbx import Member, PbxError, PhoneState
from app.pbx.unconfigured import UnconfiguredPbx
from tests.story import UTC_ZONE


class AskedPbx(UnconfiguredPbx):
    """`fails` is what it raises to a question: members, phones, records, or those of one day.

    `asked` are the questions it got; its records are found by the day of their start, in UTC.
    """

    def __init__(self, *kept: CallRecorded) -> None:
        self.kept = list(kept)
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
            if day_from <= day_of(record) <= day_to and callid in {None, record.callid}
        ]

    def _hear(self, question: str, what: str = "") -> None:
        whole = f"{question} {what}".strip()
        self.asked.append(whole)
        failure = self.fails.get(whole) or self.fails.get(question)
        if failure is not None:
            raise failure


def day_of(record: CallRecorded) -> date:
    """The day on which the call began, in UTC."""
    assert record.started is not None
    return datetime.fromtimestamp(record.started / 1000, UTC_ZONE).date()


async def floor_of(log: EventLog) -> Floor:
    """The floor after all that is in the log."""
    floor = Floor(BusinessDay(UTC_ZONE))
    if log.last_seq:
        async for records in log.follow(0):
            for record in records:
                floor.apply(record.seq, record.at, record.event)
            if floor.state.seq >= log.last_seq:
                break
    return floor
