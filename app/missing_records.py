"""Asks the PBX for its records of calls, and appends those that tell what no webhook did."""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.domain.events import CallRecorded, Event
from app.domain.model import Call, FloorState
from app.domain.states import CallState, LegState
from app.log import EventLog
from app.log.appending import append_all
from app.pbx import Pbx

# How many single calls one round may ask for.
CALLS_AT_ONCE = 20
SILENT_CALL_MS = 15_000
LOST_CALL_MS = 600_000


class MissingRecords:
    """`state` gives the floor as it is now; `clock` is the log's (ms)."""

    def __init__(
        self,
        pbx: Pbx,
        log: EventLog,
        state: Callable[[], FloorState],
        clock: Callable[[], int],
        zone: ZoneInfo,
    ) -> None:
        self._pbx = pbx
        self._log = log
        self._state = state
        self._clock = clock
        self._zone = zone

    async def of_silent_calls(self) -> None:
        """Ask for the records of live calls that nothing was heard of for a while."""
        now = self._clock()
        silent = [call for call in self._state().calls.values() if _is_silent(call, now)]
        silent.sort(key=lambda call: call.heard_at)
        for call in silent[:CALLS_AT_ONCE]:
            await append_all(self._log, await self._records(call.callid))

    async def of_the_day(self) -> None:
        """Fetch the records of today's calls of which no webhook told."""
        await append_all(self._log, await self._records())

    async def _records(self, callid: str | None = None) -> list[Event]:
        """Records that would tell something new; the day before too, for calls over midnight."""
        today = datetime.fromtimestamp(self._clock() / 1000, self._zone).date()
        since = today if callid is None else today - timedelta(days=1)
        records = await self._pbx.records(since, today, callid)
        return [record for record in records if self._is_news(record)]

    def _is_news(self, record: CallRecorded) -> bool:
        state = self._state()
        if record.callid in state.tombstones:
            return False
        call = state.calls.get(record.callid)
        if call is None:
            return True
        return not call.records and (call.ended_at is not None or _is_silent(call, self._clock()))


def _is_silent(call: Call, now: int) -> bool:
    """Nothing was heard of it for a while and nobody talks in it; or it is lost, unrecorded."""
    if call.state is CallState.ENDED:
        return call.lost and not call.records and now - (call.ended_at or 0) < LOST_CALL_MS
    talks = any(leg.state is LegState.TALKING for leg in call.legs.values())
    return not talks and now - call.heard_at > SILENT_CALL_MS
