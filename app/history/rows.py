"""From a call on the floor to its rows: the call itself, its visits, and who took part in it.

Rule of this file: a row is a function of the call alone, so that writing it again, or from a
replay, gives the same row.
"""

import msgspec

from app.domain.model import Call, CallRecord, Visit
from app.domain.numbers import caller_key, digits_of
from app.domain.states import CallState, Direction, LegState, Outcome

Row = tuple[object, ...]

# What became of a call, in the words of the API and the search.
OPEN, ANSWERED, ABANDONED, OTHERWISE = "open", "answered", "abandoned", "otherwise"
REACHED, UNREACHED = "reached", "unreached"
OUTCOMES = (OPEN, ANSWERED, ABANDONED, OTHERWISE, REACHED, UNREACHED)


def is_known(call: Call) -> bool:
    """Not just the end of a call that nobody ever saw."""
    return bool(call.visits or call.legs or call.records) or call.state is not CallState.ENDED


def outcome_of(call: Call) -> str:
    """One of OUTCOMES."""
    answered = call.answered_at is not None
    if call.direction is Direction.OUTBOUND:
        if answered or any(record.status == "ANSWER" for record in call.records):
            return REACHED
        return UNREACHED if call.state is CallState.ENDED else OPEN
    outcomes = {visit.outcome for visit in call.visits}
    if answered or Outcome.ANSWERED in outcomes:
        return ANSWERED
    if call.state is not CallState.ENDED and (Outcome.OPEN in outcomes or _rings(call)):
        return OPEN
    if Outcome.ABANDONED in outcomes:
        return ABANDONED
    unsettled = Outcome.OPEN in outcomes or call.state is not CallState.ENDED
    return OPEN if unsettled else OTHERWISE


def _rings(call: Call) -> bool:
    return any(leg.state is not LegState.OVER for leg in call.legs.values())


def call_row(call: Call) -> Row:
    """A row of `call`."""
    visit, outcome = _deciding(call), outcome_of(call)
    wait, talk = _spans(call, visit)
    return (
        call.first_seen,
        call.callid,
        str(call.direction),
        outcome,
        call.phone,
        caller_key(call.phone, call.callid),
        digits_of(call.phone)[::-1],
        call.did,
        msgspec.json.encode(list(dict.fromkeys(v.queue for v in call.visits if v.queue))).decode(),
        _agent(call, visit),
        min((r.started for r in call.records if r.started is not None), default=None),
        _answered_at(call, visit),
        visit.left_at if visit is not None and outcome == ABANDONED else None,
        call.ended_at,
        wait,
        talk,
        next((record.recording for record in call.records if record.recording), ""),
        visit is not None and is_exact(call, visit),
        any(v.inferred for v in call.visits),
        call.lost,
    )


def _deciding(call: Call) -> Visit | None:
    """The visit that made the outcome: the last answered one, else the last abandoned one."""
    for outcome in (Outcome.ANSWERED, Outcome.ABANDONED):
        found = [visit for visit in call.visits if visit.outcome is outcome]
        if found:
            return max(found, key=lambda visit: visit.touched_at)
    return None


def _answered_at(call: Call, visit: Visit | None) -> int | None:
    if visit is not None and visit.answered_at is not None:
        return visit.answered_at
    return call.answered_at


def _agent(call: Call, visit: Visit | None) -> str:
    """The last one who talked; of an outbound call, who dialled."""
    talked = [ext for ext, leg in call.legs.items() if leg.answered_at is not None]
    if talked:
        return max(talked, key=lambda ext: call.legs[ext].answered_at or 0)
    if visit is not None and visit.agent:
        return visit.agent
    return next(iter(call.legs), "") if call.direction is Direction.OUTBOUND else ""


def _spans(call: Call, visit: Visit | None) -> tuple[int | None, int | None]:
    """(wait, talk) in ms: of the deciding visit as it is counted, or of a call without queue."""
    if visit is not None and visit.booked is not None:
        talks = [v.booked.talk_ms for v in call.visits if v.booked and v.booked.talk_ms is not None]
        return visit.booked.wait_ms, sum(talks) if talks else None
    if visit is not None or call.visits:
        return None, None
    answered = call.answered_at
    wait = None if answered is None else max(0, answered - call.first_seen)
    return wait, _plain_talk(call)


def _plain_talk(call: Call) -> int | None:
    """Talk of a call that was in no queue: as the PBX bills it, else as seen."""
    answered = [record for record in call.records if record.status == "ANSWER"]
    if len(answered) == 1 and answered[0].billsec is not None:
        return answered[0].billsec * 1000
    if call.answered_at is None or call.ended_at is None:
        return None
    return max(0, call.ended_at - call.answered_at)


def is_exact(call: Call, visit: Visit) -> bool:
    """The wait is the PBX's own figure, not the time since we first heard of the caller."""
    if visit.outcome is Outcome.ABANDONED:
        return visit.holdtime is not None
    answered = [record for record in call.records if record.status == "ANSWER"]
    claimed = _claimed_wait(answered[0]) if len(answered) == 1 else None
    return visit.booked is not None and claimed == visit.booked.wait_ms


def _claimed_wait(record: CallRecord) -> int | None:
    if record.duration is None or record.billsec is None:
        return None
    return max(0, record.duration - record.billsec) * 1000


def visit_rows(call: Call) -> list[Row]:
    """The call's rows of `visit`."""
    return [_visit_row(call, n, visit) for n, visit in enumerate(call.visits)]


def _visit_row(call: Call, n: int, visit: Visit) -> Row:
    booked, counted = visit.booked, visit.booked is not None
    otherwise = visit.outcome is Outcome.OTHERWISE
    return (
        call.first_seen,
        call.callid,
        n,
        visit.queue,
        visit.seen_at,
        str(visit.outcome),
        booked.wait_ms if booked is not None and not otherwise else None,
        booked.talk_ms if booked is not None else None,
        visit.agent,
        is_exact(call, visit),
        visit.inferred,
        counted,
    )


def leg_rows(call: Call) -> list[Row]:
    """The call's rows of `leg`: who answered, missed or dialled, not every phone that rang."""
    dialled = call.direction is Direction.OUTBOUND
    rows: dict[str, Row] = {
        visit.agent: _leg_by_record(call, visit) for visit in call.visits if visit.agent
    }
    for extension, leg in call.legs.items():
        if dialled or leg.answered_at is not None or leg.missed:
            moments = (leg.since, leg.answered_at, leg.ended_at)
            rows[extension] = (
                call.first_seen, call.callid, extension, leg.queue, *moments, leg.missed
            )  # fmt: skip
    return list(rows.values())


def _leg_by_record(call: Call, visit: Visit) -> Row:
    """Who answered is known from the record alone."""
    answered = visit.answered_at or visit.seen_at
    moments = (answered, answered, call.ended_at)
    return (call.first_seen, call.callid, visit.agent, visit.queue, *moments, False)
