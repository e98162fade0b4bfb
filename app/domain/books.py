"""Counting visits: what one visit adds to its minute, its day and its agent, exactly once.

Every change of a visit ends in `rebook`: the old contribution goes, the new one comes. So a fact
that is told twice, late or corrected leaves the counts as if it had been told once and in time.
"""

from app.domain.agents import agent_of
from app.domain.callers import was_reached
from app.domain.model import Abandon, Booking, Call, Queue, Tally, Visit
from app.domain.states import Outcome
from app.domain.turn import GRACE, SECOND, Turn

TENTH = SECOND // 10
# (up to so many tenths, the step in tenths)
WAIT_STEPS = ((10 * 600, 1), (3 * 36_000, 10), (float("inf"), 600))
MINUTE = 60 * SECOND
# What arrived before that is counted in its day alone.
LONGEST_WINDOW = 60 * MINUTE
ABANDONS_KEPT = 500


def queue_of(turn: Turn, queue: str) -> Queue:
    """The queue of that id, discovered when it is new."""
    found = turn.state.queues.get(queue)
    if found is None:
        found = turn.state.queues[queue] = Queue(queue)
        turn.changes.roster = True
    turn.changes.queues.add(queue)
    return found


def rebook(turn: Turn, call: Call) -> None:
    """Bring the counts in line with what is now known of the call's visits."""
    for visit in call.visits:
        booking = reckon(turn, call, visit) if call.counts else None
        if booking != visit.booked:
            if visit.booked is not None:
                _count(turn, visit.booked, -1)
            if booking is not None:
                _count(turn, booking, 1)
            _list_abandon(turn, call, visit, booking)
            visit.booked = booking
            turn.changes.totals = True


def reckon(turn: Turn, call: Call, visit: Visit) -> Booking | None:
    """What the visit adds to the counts as far as it is known now; None while it is open."""
    if visit.outcome is Outcome.OPEN:
        return None
    minute = visit.seen_at // MINUTE
    if visit.outcome is Outcome.ABANDONED:
        return Booking(visit.queue, minute, visit.outcome, abandoned_wait(visit))
    if visit.outcome is Outcome.ANSWERED:
        wait, talk = answered_spans(call, visit, exact=turn.state.billing.exact)
        return Booking(visit.queue, minute, visit.outcome, wait, talk, visit.agent)
    return Booking(visit.queue, minute, visit.outcome)


def abandoned_wait(visit: Visit) -> int:
    """An abandoned wait in ms: the PBX's holdtime is exact and wins over first sight."""
    if visit.holdtime is not None:
        return visit.holdtime * SECOND
    return max(0, (visit.left_at or visit.seen_at) - visit.seen_at)


def answered_spans(call: Call, visit: Visit, *, exact: bool) -> tuple[int, int | None]:
    """(wait, talk) of an answered visit in ms: as seen, or as the record has it where that fits.

    Many PBXs answer the channel when the caller enters the queue, so billsec holds the wait too and
    says nothing of either. Where this PBX is known to bill the talk alone (`exact`), its whole
    seconds are better than webhooks that may be delayed; they must agree to within the grace.
    """
    wait = max(0, (visit.answered_at or visit.seen_at) - visit.seen_at)
    talk, claim = visit.talk_ms, _claim(call)
    if claim is None:
        return wait, talk
    claimed_wait, claimed_talk = claim
    fits = abs(claimed_wait - wait) <= GRACE
    if visit.late or (exact and fits and (talk is None or abs(claimed_talk - talk) <= GRACE)):
        return claimed_wait, claimed_talk
    return wait, claimed_talk if talk is None and call.ended_at is not None else talk


def learn_billing(turn: Turn, call: Call) -> None:
    """Compare a new record with what was seen: does billsec hold the wait, or the talk alone?

    Only waits longer than any delay of a webhook tell. When the verdict changes, every call still
    remembered is counted anew.
    """
    claim, visit = _claim(call), next((v for v in call.visits if v.answered_at is not None), None)
    if claim is None or visit is None or visit.late:
        return
    wait, billing = (visit.answered_at or 0) - visit.seen_at, turn.state.billing
    before = billing.exact
    if wait > 2 * GRACE and abs(claim[0] - wait) <= GRACE:
        billing.talk_only += 1
    elif wait > 2 * GRACE and claim[0] <= GRACE:
        billing.whole_call += 1
    if billing.exact != before:
        for other in turn.state.calls.values():
            rebook(turn, other)


def _claim(call: Call) -> tuple[int, int] | None:
    """(wait, talk) in ms from the call's one answered record; a transfer's several say nothing."""
    records = [record for record in call.records if record.status == "ANSWER"]
    if len(records) != 1 or sum(v.outcome is Outcome.ANSWERED for v in call.visits) != 1:
        return None
    duration, billsec = records[0].duration, records[0].billsec
    if duration is None or billsec is None:
        return None
    return max(0, duration - billsec) * SECOND, billsec * SECOND


def _count(turn: Turn, booking: Booking, sign: int) -> None:
    queue = queue_of(turn, booking.queue)
    today = booking.minute * MINUTE >= turn.state.day_began
    if booking.minute >= oldest_minute(turn.at):
        add_booking(queue.minutes.setdefault(booking.minute, Tally()), booking, sign)
    if today:
        add_booking(queue.today, booking, sign)
    if today and booking.agent:
        day = agent_of(turn, booking.agent).day
        day.answered += sign
        day.queue_talk_ms += sign * (booking.talk_ms or 0)
        turn.changes.agents.add(booking.agent)


def oldest_minute(at: int) -> int:
    """The first minute of the longest window that ends at `at` (ms)."""
    return (at - LONGEST_WINDOW) // MINUTE


def add_booking(tally: Tally, booking: Booking, sign: int) -> None:
    """Add (or take away) one visit."""
    wait = wait_key(booking.wait_ms)
    if booking.outcome is Outcome.OTHERWISE:
        tally.otherwise += sign
    elif booking.outcome is Outcome.ABANDONED:
        _step(tally.abandoned, wait, sign)
    else:
        _step(tally.answered, wait, sign)
        tally.wait_ms += sign * booking.wait_ms
        if booking.talk_ms is not None:
            tally.talk_ms += sign * booking.talk_ms
            tally.talked += sign


def wait_key(wait_ms: int) -> int:
    """Under which a tally counts a wait, in tenths of a second.

    Exact up to ten minutes; then the next whole second, which is on the same side of every T, and
    from three hours on the next minute: a sender gone mad must not make a key for each tenth.
    """
    tenths = wait_ms // TENTH
    step = next(step for longest, step in WAIT_STEPS if tenths <= longest)
    return -(-tenths // step) * step


def _step(counts: dict[int, int], key: int, sign: int) -> None:
    left = counts.get(key, 0) + sign
    if left:
        counts[key] = left
    else:
        counts.pop(key, None)


def _list_abandon(turn: Turn, call: Call, visit: Visit, booking: Booking | None) -> None:
    """Keep the list of those who gave up in step with the counts."""
    gave_up = [
        one is not None and one.outcome is Outcome.ABANDONED for one in (visit.booked, booking)
    ]
    if not any(gave_up):
        return
    rows = turn.state.abandons
    kept = [row for row in rows if (row.callid, row.queue) != (call.callid, visit.queue)]
    if booking is not None and gave_up[1]:
        waited, exact = booking.wait_ms // SECOND, visit.holdtime is not None
        called_back = any(row.called_back for row in rows if row.callid == call.callid)
        at = visit.left_at or turn.at
        row = Abandon(call.callid, visit.queue, call.phone, at, waited, exact, called_back)
        row.reached = was_reached(turn, row)
        kept.append(row)
    turn.state.abandons = kept[-ABANDONS_KEPT:]
    turn.changes.abandons = True
