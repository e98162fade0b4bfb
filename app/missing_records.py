"""Asks the PBX for its records of calls, and appends those that tell what no webhook did."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from app.domain.events import CallRecorded
from app.domain.model import Call, FloorState
from app.domain.states import CallState, LegState
from app.log import EventLog
from app.log.appending import append_all
from app.pbx import Pbx
from app.pbx.asking import ask_each

# How many single calls one round may ask for.
CALLS_AT_ONCE = 20
SILENT_CALL_MS = 15_000
LOST_CALL_MS = 600_000
ONE_DAY = timedelta(days=1)
# A call has its record when it is over, and that is found by the day on which it began.
LONGEST_CALL_MS = 4 * 3_600_000


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
        self._asked: dict[str, int] = {}
        # The last day that was told when all its calls must have been over.
        self._closed: date | None = None

    async def of_silent_calls(self) -> None:
        """Ask for the records of live calls that nothing was heard of for a while, in turns.

        The first that is not answered ends the round: the next one begins with others.
        """
        now = self._clock()
        today = self._date(now)
        silent = [call for call in self._state().calls.values() if _is_silent(call, now)]
        asked = self._asked = {one.callid: self._asked.get(one.callid, 0) for one in silent}
        silent.sort(key=lambda call: (asked[call.callid], call.heard_at))
        for call in silent[:CALLS_AT_ONCE]:
            asked[call.callid] = now
            records = await self._pbx.records(today - ONE_DAY, today, call.callid)
            await append_all(self._log, self._news_in(records))

    async def of_the_days(self) -> None:
        """Fetch the records of today's and of yesterday's calls of which no webhook told.

        Each day is a question of its own: where one is refused, the other is told all the same.
        """
        await ask_each(*[partial(self._of_day, day) for day in self._days()])

    def _days(self) -> list[date]:
        """Today; and yesterday, until it was told when even its last calls were over."""
        today = self._date(self._clock())
        yesterday = today - ONE_DAY
        return [today] if self._closed == yesterday else [today, yesterday]

    async def _of_day(self, day: date) -> None:
        asked_at = self._clock()
        records = await self._pbx.records(day, day)
        if day < self._date(asked_at):
            # One without a start would be taken for a call of now.
            records = [record for record in records if record.started is not None]
        await append_all(self._log, self._news_in(records))
        if day < self._date(asked_at - LONGEST_CALL_MS):
            self._closed = day

    def _date(self, at: int) -> date:
        return datetime.fromtimestamp(at / 1000, self._zone).date()

    def _news_in(self, records: Sequence[CallRecorded]) -> list[CallRecorded]:
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
