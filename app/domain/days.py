"""Which business day a moment belongs to: a day begins at a set hour in a set time zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class BusinessDay:
    """The rule: `starts` is local time of day in `zone`. Moments are ms since the epoch, UTC."""

    zone: ZoneInfo
    starts: time = time(0, 0)

    def of(self, at: int) -> date:
        """The date of the business day in which `at` lies."""
        day = datetime.fromtimestamp(at / 1000, self.zone).date()
        if at < self.begins(day):
            return day - timedelta(days=1)
        # Where the clocks go back over midnight, the date does too; the day does not.
        following = day + timedelta(days=1)
        return following if at >= self.begins(following) else day

    def begins(self, day: date) -> int:
        """When that day begins. A local time that a clock change skips is as the zone has it."""
        local = datetime.combine(day, self.starts, self.zone)
        return round(local.astimezone(UTC).timestamp() * 1000)

    def span(self, at: int) -> tuple[date, int, int]:
        """The day around `at`, when it began and when it ends (the next one's beginning)."""
        day = self.of(at)
        return day, self.begins(day), self.begins(day + timedelta(days=1))
