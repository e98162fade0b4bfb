"""Records of calls that no webhook told of: all of them reach the log, and each its own day."""

from pathlib import Path

import pytest

from app.domain.events import CallRecorded
from app.domain.model import FloorState
from app.log import EventLog
from app.missing_records import MissingRecords
from tests.asked_pbx import AskedPbx
from tests.history_setup import NINE
from tests.logs import Clock, Place, take, told
from tests.story import UTC_ZONE

pytestmark = pytest.mark.anyio
MINUTE_MS = 60_000


def recorded(callid: str, started: int, **fields: object) -> CallRecorded:
    """The record of an inbound call that 101 answered after 10 s and talked in for 50 s."""
    said = {"direction": "inbound", "extension": "101", "duration": 60, "billsec": 50, **fields}
    return CallRecorded(callid=callid, status="ANSWER", started=started, **said)  # type: ignore[arg-type]


@pytest.fixture
async def place(tmp_path: Path):
    place = Place(f"sqlite:{tmp_path / 'pitwall.db'}", Clock(NINE))
    yield place
    await place.close()


def missing_in(pbx: AskedPbx, log: EventLog, clock: Clock) -> MissingRecords:
    state = FloorState()
    return MissingRecords(pbx, log, lambda: state, clock, UTC_ZONE)


async def test_more_records_than_a_log_takes_at_once_all_reach_it(place):
    records = [recorded(str(number), NINE - MINUTE_MS) for number in range(10_001)]
    log = await place.open()

    await missing_in(AskedPbx(*records), log, place.clock).of_the_day()

    assert told(await take(log.follow(), 10_001)) == records
