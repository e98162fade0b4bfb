"""Many events at once: in order, and in pieces that every kind of log takes."""

from collections.abc import Sequence
from typing import cast

import pytest

from app.domain.events import CallRecorded, Event
from app.log import EventLog
from app.log.appending import AT_ONCE, append_all
from app.log.outgoing import entry_of
from app.pbx.call_records import records_in
from tests.logs import NOON, calls
from tests.story import UTC_ZONE

pytestmark = pytest.mark.anyio


class Messages:
    """A log's way into messages, which refuses what one of them can't hold."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.events: list[Event] = []

    async def append(self, events: Sequence[Event], rid: str | None = None) -> int:
        entry = entry_of(events, "rid", NOON)
        self.sizes.append(len(entry.events))
        self.events += entry.events
        return len(self.events)


def longest_records(count: int) -> list[CallRecorded]:
    """Records with every field as long as it may be."""
    row = {
        "direction": "Outbound",
        "status": "X" * 32,
        "extension": "9" * 32,
        "phone": "9" * 64,
        "did": "9" * 64,
        "calldate": "2023-11-14 22:13:20",
        "duration": 604_800,
        "billsec": 604_800,
        "recordingpath": "https://" + "x" * 2040,
    }
    rows = [{**row, "callid": f"{number:0128}"} for number in range(count)]
    records, unread = records_in(rows, NOON, UTC_ZONE)
    assert (len(records), unread) == (count, 0)
    assert len(records[0].recording) == 2048
    return records


async def test_all_of_many_events_are_appended_in_order() -> None:
    log = Messages()
    await append_all(cast(EventLog, log), calls(1, 2 * AT_ONCE + 1))

    assert log.events == calls(1, 2 * AT_ONCE + 1)
    assert log.sizes == [AT_ONCE, AT_ONCE, 1]


async def test_nothing_is_appended_of_nothing() -> None:
    log = Messages()
    await append_all(cast(EventLog, log), [])

    assert log.sizes == []


async def test_a_piece_of_the_longest_records_fits_into_one_message() -> None:
    log, records = Messages(), longest_records(AT_ONCE)
    await append_all(cast(EventLog, log), records)

    assert log.events == records
