"""Callers as people: which calls are one person's, and whether somebody talked with them since."""

from app.domain.model import Abandon, Call
from app.domain.numbers import caller_key
from app.domain.states import Direction, Outcome
from app.domain.turn import SECOND, Turn


def is_same_caller(one: Abandon | Call, other: Abandon | Call) -> bool:
    """Both are one person's. Asked of tens of thousands: most differ in the last digits already."""
    if one.callid == other.callid:
        return True
    if one.phone[-2:] != other.phone[-2:]:
        return False
    return caller_key(one.phone, one.callid) == caller_key(other.phone, other.callid)


def talked_at(call: Call) -> int | None:
    """When somebody last began to talk in this call (ms), as far as is known now; else None."""
    moments = [
        visit.answered_at
        for visit in call.visits
        if visit.outcome is Outcome.ANSWERED and visit.answered_at is not None
    ]
    moments += [
        leg.answered_at
        for leg in call.legs.values()
        if not leg.queue and leg.answered_at is not None
    ]
    recorded = any(record.status == "ANSWER" for record in call.records)
    if not moments and recorded and call.direction is Direction.OUTBOUND:
        return call.first_seen
    return max(moments, default=None)


def reach(turn: Turn, call: Call) -> None:
    """Whoever gave up before somebody talked with them in this call need not be called back."""
    talked = talked_at(call) if turn.state.abandons else None
    if talked is None:
        return
    for row in turn.state.abandons:
        if not row.reached and is_same_caller(row, call) and _came_before(row, talked):
            row.reached = turn.changes.abandons = True


def was_reached(turn: Turn, row: Abandon) -> bool:
    """The abandon was told late: somebody has talked with this caller since."""
    own = {row.callid, *turn.numbers.of(caller_key(row.phone, row.callid))}
    calls = (turn.state.calls[callid] for callid in own if callid in turn.state.calls)
    return any(
        is_same_caller(row, call)
        and (talked := talked_at(call)) is not None
        and _came_before(row, talked)
        for call in calls
    )


def _came_before(row: Abandon, talked: int) -> bool:
    """The wait began before: reports of one call overtake each other, so its end says little."""
    return talked > row.at - row.waited_s * SECOND


def called_back(turn: Turn, callid: str) -> None:
    """Somebody deals with the caller who gave up in this call, and so with all their tries."""
    tries = [row for row in turn.state.abandons if row.callid == callid]
    for row in turn.state.abandons:
        if any(is_same_caller(row, one) for one in tries):
            row.called_back = turn.changes.abandons = True
