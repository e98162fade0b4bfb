"""What each report about a call means for the floor: one function per webhook, rules by number."""

from app.domain import events
from app.domain.books import learn_billing
from app.domain.calls import call_of, dials, end, is_answered, misses, rings, settle, silence
from app.domain.model import Call, CallRecord, Visit
from app.domain.states import CallState, Direction, Outcome
from app.domain.turn import SECOND, Turn
from app.domain.visits import abandoned, answered, concluded_visit, current_visit


def ringing(turn: Turn, event: events.CallRinging) -> None:
    call = call_of(turn, event.callid, Direction.INBOUND, event.phone, event.did)
    if call is not None and call.direction is Direction.INBOUND:
        rings(turn, call, event.extension, event.queue)
        settle(turn, call)


def call_answered(turn: Turn, event: events.CallAnswered) -> None:
    call = call_of(turn, event.callid, Direction.INBOUND, event.phone, event.did)
    if call is not None and call.direction is Direction.INBOUND:
        is_answered(turn, call, event.extension, event.queue)
        settle(turn, call)


def call_ended(turn: Turn, event: events.CallEnded) -> None:
    """Rule 4: the end of a call never seen is remembered, so that it can't begin afterwards."""
    call = turn.state.calls.get(event.callid)
    if call is None:
        if event.callid not in turn.state.tombstones:
            _finished_call(turn, event.callid, Direction.INBOUND, turn.at)
        return
    end(turn, call)
    settle(turn, call)


def _finished_call(turn: Turn, callid: str, direction: Direction, seen: int) -> Call:
    call = Call(callid, direction, CallState.ENDED, seen, turn.at, turn.at, ended_at=turn.at)
    turn.state.calls[callid] = call
    turn.changes.calls.add(callid)
    return call


def call_abandoned(turn: Turn, event: events.CallAbandoned) -> None:
    """Rules 3 and 4: the visit is over, the call perhaps not."""
    call = call_of(turn, event.callid, Direction.INBOUND, event.phone)
    if call is None or call.direction is not Direction.INBOUND:
        return
    if abandoned(turn, call, event.queue, event.holdtime):
        silence(turn, call, event.queue)
    settle(turn, call)


def ring_missed(turn: Turn, event: events.RingMissed) -> None:
    call = call_of(turn, event.callid, Direction.INBOUND, event.phone)
    if call is not None and call.direction is Direction.INBOUND:
        misses(turn, call, event.extension, event.queue)
        settle(turn, call)


def call_recorded(turn: Turn, event: events.CallRecorded) -> None:
    """Rule 2 and 11: a record ends the call if nothing else did, and corrects what was seen."""
    if event.callid in turn.state.tombstones:
        return
    call = turn.state.calls.get(event.callid)
    if call is None:
        call = _unseen(turn, event)
    call.phone, call.did = call.phone or event.phone, call.did or event.did
    record = CallRecord(
        event.status, event.extension, event.started, event.duration, event.billsec, event.recording
    )
    new = record not in call.records
    if new:
        call.records.append(record)
    end(turn, call)
    _answered_by_record(turn, call, event)
    if new:
        learn_billing(turn, call)
    settle(turn, call)


def _unseen(turn: Turn, event: events.CallRecorded) -> Call:
    """A call known from its record alone counts from the record's start, if that can be true."""
    outbound = event.direction == Direction.OUTBOUND
    begin = event.started or turn.at - (event.duration or 0) * SECOND
    direction = Direction.OUTBOUND if outbound else Direction.INBOUND
    call = _finished_call(turn, event.callid, direction, min(begin, turn.at))
    call.counts = "calldate" not in event.flags
    if outbound and event.extension and call.counts:
        dials(turn, call, event.extension, talking=False)
    return call


def _answered_by_record(turn: Turn, call: Call, event: events.CallRecorded) -> None:
    """The record says who answered, and nothing else did: the answer was lost on its way."""
    if event.status != "ANSWER" or call.direction is Direction.OUTBOUND:
        return
    if call.answered_at is not None or any(v.outcome is Outcome.ANSWERED for v in call.visits):
        return
    waiting = current_visit(call) or concluded_visit(call)
    if waiting is None and (call.visits or call.legs):
        return
    if waiting is None:
        # No queue is known: it counts in the totals, under no queue's name, until one is told.
        visit = Visit("", call.first_seen, turn.at, Outcome.ANSWERED, late=True)
        visit.answered_at, visit.agent, visit.inferred = call.first_seen, event.extension, True
        call.visits.append(visit)
    else:
        answered(turn, call, waiting.queue, event.extension)
        waiting.inferred = True


def outbound_ringing(turn: Turn, event: events.OutboundRinging) -> None:
    _outbound(turn, event.callid, event.extension, event.phone, talking=False)


def outbound_answered(turn: Turn, event: events.OutboundAnswered) -> None:
    _outbound(turn, event.callid, event.extension, event.phone, talking=True)


def _outbound(turn: Turn, callid: str, extension: str, phone: str, *, talking: bool) -> None:
    call = call_of(turn, callid, Direction.OUTBOUND, phone)
    if call is not None and call.direction is Direction.OUTBOUND:
        dials(turn, call, extension, talking=talking)
        settle(turn, call)
