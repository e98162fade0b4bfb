"""Callers as people: which calls are one person's, and whether somebody talked with them since."""

import re

from app.domain.model import Abandon, Call, FloorState
from app.domain.states import Direction, Outcome
from app.domain.turn import SECOND, Turn

# Fewer digits are an extension or a hidden number: no key to find the same person by.
FEWEST_DIGITS = 6
# The country's code and trunk zero differ by route: +84 938…, 84938…, 0938….
KEY_DIGITS = 9
NO_DIGIT = re.compile(r"[^0-9]")


def digits_of(phone: str) -> str:
    """The number's digits alone."""
    return NO_DIGIT.sub("", phone)


def caller_key(phone: str, callid: str) -> str:
    """What calls of one person have in common; a number too short to tell stands for its call."""
    digits = digits_of(phone)
    return digits[-KEY_DIGITS:] if len(digits) >= FEWEST_DIGITS else f"#{callid}"


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


def was_reached(state: FloorState, row: Abandon) -> bool:
    """The abandon was told late: somebody has talked with this caller since."""
    own = {row.callid, *state.callers.get(caller_key(row.phone, row.callid), ())}
    calls = [state.calls[callid] for callid in own if callid in state.calls]
    return any(
        is_same_caller(row, call)
        and (talked := talked_at(call)) is not None
        and _came_before(row, talked)
        for call in calls
    )


def learn_phone(state: FloorState, call: Call, phone: str) -> None:
    """The first number told stays; by it the call can be found among those of its caller."""
    if phone and not call.phone:
        call.phone = phone
        enlist(state, call)


def enlist(state: FloorState, call: Call) -> None:
    """The call can be found by its number."""
    state.callers.setdefault(caller_key(call.phone, call.callid), set()).add(call.callid)


def strike_off(state: FloorState, call: Call) -> None:
    """The call is forgotten."""
    key = caller_key(call.phone, call.callid)
    calls = state.callers.get(key, set())
    calls.discard(call.callid)
    if not calls:
        state.callers.pop(key, None)


def _came_before(row: Abandon, talked: int) -> bool:
    """The wait began before: reports of one call overtake each other, so its end says little."""
    return talked > row.at - row.waited_s * SECOND


def called_back(turn: Turn, callid: str) -> None:
    """Somebody deals with the caller who gave up in this call, and so with all their tries."""
    tries = [row for row in turn.state.abandons if row.callid == callid]
    for row in turn.state.abandons:
        if any(is_same_caller(row, one) for one in tries):
            row.called_back = turn.changes.abandons = True
