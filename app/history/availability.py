"""How much of the last thirty full days the board was live, by the gaps that the history keeps."""

from dataclasses import dataclass
from datetime import timedelta

from app.domain.days import BusinessDay
from app.history.days import DayBook, Gap
from app.history.tracker import DOWN

DAYS = 30
# 43 minutes in thirty days.
PROMISED = 0.999


@dataclass(frozen=True, slots=True)
class Availability:
    """Of the time [began, ended) in ms, of which all is recorded; the gaps lie inside."""

    began: int
    ended: int
    outages: list[Gap]
    silences: list[Gap]

    @property
    def recorded_ms(self) -> int:
        """How long that is."""
        return self.ended - self.began

    @property
    def down_ms(self) -> int:
        """All outages together."""
        return sum(gap.ended - gap.began for gap in self.outages)

    @property
    def allowed_ms(self) -> float:
        """How long it may have been down."""
        return self.recorded_ms * (1 - PROMISED)

    @property
    def share(self) -> float | None:
        """One minus down ÷ recorded; None where nothing is recorded."""
        return 1 - self.down_ms / self.recorded_ms if self.recorded_ms else None


async def availability(book: DayBook, days: BusinessDay, now: int) -> Availability:
    """Of the full business days before the one in which `now` (ms) lies.

    Raises DatabaseUnavailable.
    """
    today = days.of(now)
    began, ended = await book.known(days.begins(today - timedelta(days=DAYS)), days.begins(today))
    gaps = await book.gaps(began, ended)
    outages = [gap for gap in gaps if gap.kind == DOWN]
    return Availability(began, ended, outages, [gap for gap in gaps if gap.kind != DOWN])
