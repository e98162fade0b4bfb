"""Many events at once, in pieces that every log takes."""

from collections.abc import Sequence

from app.domain.events import Event
from app.log import EventLog

# So few that the longest records together are less than one message may hold.
AT_ONCE = 300


async def append_all(log: EventLog, events: Sequence[Event]) -> None:
    """Append these in order, however many: each piece is stored together, not all of them.

    Raises LogUnavailable; what came before the refused piece is stored.
    """
    for first in range(0, len(events), AT_ONCE):
        await log.append(events[first : first + AT_ONCE])
