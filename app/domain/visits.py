"""A call's stays in queues: which visit a report speaks of, and what it makes of it."""

from app.domain.books import queue_of
from app.domain.model import Call, Visit
from app.domain.states import CallState, Outcome
from app.domain.turn import ECHO, GRACE, SECOND, Turn


def current_visit(call: Call) -> Visit | None:
    """The queue in which the caller waits now: of the open visits, the one last heard of."""
    visits = [visit for visit in call.visits if visit.outcome is Outcome.OPEN]
    if len(visits) < 2:
        return visits[0] if visits else None
    return max(visits, key=lambda visit: visit.touched_at, default=None)


def concluded_visit(call: Call) -> Visit | None:
    """The last stay of which nobody told how it ended: that it ended unanswered is our guess."""
    visits = [v for v in call.visits if v.inferred and v.outcome is not Outcome.ANSWERED]
    return max(visits, key=lambda visit: visit.touched_at, default=None)


def reopen(call: Call) -> None:
    """The call goes on after all: the caller still waits where we last knew of, and since then."""
    visit = concluded_visit(call)
    if visit is not None:
        visit.outcome, visit.inferred, visit.left_at = Outcome.OPEN, False, None


def enter(turn: Turn, call: Call, queue: str) -> Visit | None:
    """The caller is rung for in `queue`. None: the report is older than what we know."""
    queue_of(turn, queue)
    if unnamed := _unnamed_visit(call):
        unnamed.queue = queue
        return unnamed
    same = [visit for visit in call.visits if visit.queue == queue]
    open_visit = next((visit for visit in same if visit.outcome is Outcome.OPEN), None)
    if open_visit is not None:
        open_visit.touched_at = turn.at
        return open_visit
    if same and call.state is CallState.ENDED:
        return None
    if any(v.outcome is Outcome.ANSWERED and turn.at - (v.answered_at or 0) <= ECHO for v in same):
        return None
    return _open(turn, call, queue, echo=_just_left(turn, call, same))


def _unnamed_visit(call: Call) -> Visit | None:
    """The stay that only a record told of, which names no queue."""
    return next((visit for visit in call.visits if not visit.queue), None)


def _just_left(turn: Turn, call: Call, same: list[Visit]) -> bool:
    """So soon after an answer, or an abandon of this very queue, a ring may be a late copy."""
    answered = call.state is CallState.ANSWERED and turn.at - call.since <= ECHO
    return answered or any(turn.at - (visit.left_at or 0) <= ECHO for visit in same)


def _open(turn: Turn, call: Call, queue: str, *, echo: bool = False) -> Visit:
    first = not call.visits and call.answered_at is None
    seen = call.first_seen if first else turn.at
    visit = Visit(queue, seen, turn.at, echo=echo)
    call.visits.append(visit)
    return visit


def answered(turn: Turn, call: Call, queue: str, extension: str) -> None:
    """The caller was answered at `extension`, from `queue` or from wherever the call waits."""
    visit = _visit_answered(turn, call, queue, extension)
    if visit is None:
        return
    visit.outcome, visit.agent, visit.inferred, visit.echo = (
        Outcome.ANSWERED,
        extension,
        False,
        False,
    )
    visit.answered_at = max(visit.seen_at, turn.at)
    if call.ended_at is not None:
        visit.answered_at, visit.late = max(visit.seen_at, min(turn.at, call.ended_at)), True
        visit.talk_ms = max(0, call.ended_at - visit.answered_at)


def _visit_answered(turn: Turn, call: Call, queue: str, extension: str) -> Visit | None:
    if not queue:
        return current_visit(call) or concluded_visit(call)
    queue_of(turn, queue)
    if unnamed := _unnamed_visit(call):
        unnamed.queue = queue
        return unnamed
    for visit in reversed([visit for visit in call.visits if visit.queue == queue]):
        if visit.outcome is Outcome.OPEN or (
            visit.inferred and visit.outcome is not Outcome.ANSWERED
        ):
            return visit
        if visit.outcome is Outcome.ANSWERED:
            # Told twice, or moved within the queue: the visit was answered once. Only who we
            # thought it was, after a record alone, may be put right.
            mistaken = visit.inferred and visit.agent != extension
            visit.inferred = False
            return visit if mistaken else None
    return _open(turn, call, queue)


def abandoned(turn: Turn, call: Call, queue: str, holdtime: int | None) -> bool:
    """The caller left `queue` unanswered. False: this was told before, or contradicts an answer."""
    queue_of(turn, queue)
    if unnamed := _unnamed_visit(call):
        unnamed.queue = queue
    same = [visit for visit in call.visits if visit.queue == queue]
    told = [v for v in same if v.outcome is Outcome.ABANDONED and not v.inferred]
    visit = next((v for v in reversed(same) if v.outcome is Outcome.OPEN or v.inferred), None)
    if visit is None and same:
        return False
    if visit is not None and told and _speaks_of_earlier(turn, told[-1], visit, holdtime):
        return False
    if visit is None:
        visit = _open(turn, call, queue)
        visit.seen_at = turn.at - (holdtime or 0) * SECOND
    visit.outcome, visit.inferred, visit.echo, visit.agent = Outcome.ABANDONED, False, False, ""
    visit.holdtime = holdtime
    visit.left_at = turn.at if call.ended_at is None else min(turn.at, call.ended_at)
    return True


def _speaks_of_earlier(turn: Turn, earlier: Visit, visit: Visit, holdtime: int | None) -> bool:
    """The same wait again, and it would have begun before the earlier stay ended: a copy.

    Where the ring before it seemed a late copy too, a stay shorter than what delays a webhook, or
    one that began at another time than that ring, is a copy as well.
    """
    if holdtime is None or holdtime != earlier.holdtime:
        return False
    began = turn.at - holdtime * SECOND
    if began < (earlier.left_at or 0) - SECOND:
        return True
    too_short = holdtime * SECOND < GRACE
    return visit.echo and (too_short or abs(began - visit.seen_at) > SECOND)


def conclude(call: Call) -> None:
    """A minute after the end: what nobody told is concluded from what was seen (rule 11)."""
    call.visits = [v for v in call.visits if not (v.echo and v.outcome is Outcome.OPEN)]
    last = current_visit(call)
    for visit in call.visits:
        if visit.outcome is Outcome.OPEN:
            gave_up = visit is last and call.answered_at is None and not call.lost
            visit.outcome = Outcome.ABANDONED if gave_up else Outcome.OTHERWISE
            visit.inferred, visit.left_at = True, call.ended_at
