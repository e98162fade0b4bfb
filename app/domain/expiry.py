"""What passing time does, on ticks only: doubt, loss, conclusions, the change of day."""

from itertools import islice, takewhile

from app.domain.agents import agent_of, end_doubt, live_legs, refresh
from app.domain.books import MINUTE, oldest_minute
from app.domain.calls import back_to_waiting, end, settle
from app.domain.caps import Caps
from app.domain.commands import expire
from app.domain.days import BusinessDay
from app.domain.diary import (
    AGENT_UNHEARD,
    GIVE_UP_AFTER,
    HOUR,
    PASSED_OVER,
    RINGING_UNHEARD,
    SETTLE_AFTER,
    TALKING_UNHEARD,
    WAITING_UNHEARD,
    Diary,
    kept_for,
)
from app.domain.model import Agent, AgentDay, Call, FloorState, Tally
from app.domain.states import CallState, LegState, Status
from app.domain.turn import ECHO, GRACE, Turn
from app.domain.visits import conclude, current_visit

FORGET_TOMBSTONE = 48 * HOUR
LISTEN_LIMIT = 30 * MINUTE


def tick(turn: Turn, days: BusinessDay, caps: Caps, diary: Diary) -> None:
    """Let time pass up to `turn.at`."""
    turn.changes.beat = True
    if turn.at >= turn.state.day_ends:
        change_day(turn, days)
    _forget_minutes(turn)
    if turn.state.commands:
        expire(turn)
    agents, calls = diary.due(turn.at)
    for agent in agents:
        _doubt_agent(turn, agent)
        if agent.listeners:
            _end_long_listening(turn, agent)
    going_on = [call for call in calls if not call.settled]
    free = _long_free(turn) if going_on else set()
    for call in going_on:
        if call.state is CallState.ENDED:
            _settle(turn, call)
        else:
            _doubt_call(turn, call, free)
            _confirm_return(turn, call)
    _forget(turn, calls, caps)


def change_day(turn: Turn, days: BusinessDay) -> None:
    """A new business day: today's counts start from what arrived since it began."""
    state = turn.state
    day, state.day_began, state.day_ends = days.span(turn.at)
    state.day = day.isoformat()
    for agent in state.agents.values():
        agent.day = AgentDay()
        agent.accrued_at = max(agent.since, state.day_began)
    for queue in state.queues.values():
        queue.today = Tally()
        for minute, tally in queue.minutes.items():
            if minute * MINUTE >= state.day_began:
                merge(queue.today, tally)
    state.reconciled.repairs_today = 0
    state.overflow = {}
    state.abandons = [row for row in state.abandons if row.at >= state.day_began]
    turn.changes.agents.update(state.agents)
    turn.changes.queues.update(state.queues)
    turn.changes.totals = turn.changes.abandons = turn.changes.roster = True


def merge(into: Tally, other: Tally) -> None:
    """Add the other's counts: numerators and denominators, never percentages."""
    for wait, count in other.answered.items():
        into.answered[wait] = into.answered.get(wait, 0) + count
    for wait, count in other.abandoned.items():
        into.abandoned[wait] = into.abandoned.get(wait, 0) + count
    into.otherwise += other.otherwise
    into.wait_ms += other.wait_ms
    into.talk_ms += other.talk_ms
    into.talked += other.talked


def _forget_minutes(turn: Turn) -> None:
    """Only after a change of day, which counts the minutes of the new one together."""
    oldest = oldest_minute(turn.at)
    for queue in turn.state.queues.values():
        # They mostly come in order, so the first one tells.
        if queue.minutes and next(iter(queue.minutes)) < oldest:
            for minute in [minute for minute in queue.minutes if minute < oldest]:
                del queue.minutes[minute]


def _doubt_agent(turn: Turn, agent: Agent) -> None:
    if agent.doubt_since is not None:
        _contradicted(turn, agent, turn.at - agent.doubt_since)
    elif not agent.legs and agent.phone is Status.RING and _unheard(turn, agent, RINGING_UNHEARD):
        agent.phone = agent.mode
        refresh(turn, agent)
    elif agent.status is not Status.OFF and _unheard(turn, agent, AGENT_UNHEARD):
        _mark(turn, agent)


def _unheard(turn: Turn, agent: Agent, limit: int) -> bool:
    heard = max(agent.phone_at, agent.verified_at or 0, agent.since)
    return turn.at - heard >= limit


def _contradicted(turn: Turn, agent: Agent, lasting: int) -> None:
    """Doubt is shown after the grace; if nobody settles it in a minute, the phone's word wins."""
    if lasting < GRACE:
        return
    if lasting < GRACE + GIVE_UP_AFTER:
        _mark(turn, agent)
        return
    for callid in list(agent.legs):
        call = turn.state.calls[callid]
        if call.legs[agent.extension].state is LegState.TALKING:
            end(turn, call, lost=True)
            settle(turn, call)
    end_doubt(turn, agent)


def _mark(turn: Turn, agent: Agent) -> None:
    if agent.in_doubt:
        return
    agent.in_doubt = True
    turn.changes.agents.add(agent.extension)
    turn.changes.totals = True
    for callid, leg in zip(agent.legs, live_legs(turn, agent), strict=True):
        if leg.state is LegState.TALKING:
            turn.state.calls[callid].in_doubt = True
            turn.changes.calls.add(callid)


def _doubt_call(turn: Turn, call: Call, free: set[str]) -> None:
    """A call nobody has spoken of for too long is doubted, and closed as lost a minute later."""
    unheard = turn.at - call.heard_at
    limit = _patience(call, free)
    if _is_gone(call) and unheard >= GIVE_UP_AFTER:
        end(turn, call)
    elif (
        unheard >= limit + GIVE_UP_AFTER and limit != WAITING_UNHEARD
    ) or unheard >= TALKING_UNHEARD + GIVE_UP_AFTER:
        end(turn, call, lost=True)
    elif unheard >= limit and not call.in_doubt:
        call.in_doubt = True
        for extension, leg in call.legs.items():
            if leg.state is not LegState.OVER:
                agent_of(turn, extension).in_doubt = True
    else:
        return
    settle(turn, call)


def _patience(call: Call, free: set[str]) -> int:
    states = {leg.state for leg in call.legs.values()}
    if LegState.TALKING in states:
        return TALKING_UNHEARD
    if LegState.RINGING in states:
        return RINGING_UNHEARD
    visit = current_visit(call)
    return PASSED_OVER if visit is not None and visit.queue in free else WAITING_UNHEARD


def _long_free(turn: Turn) -> set[str]:
    """Queues with an agent so long free that who waits there was passed over, if still there.

    Only where the PBX was asked and agreed that the agent is: what it pushed long ago may be
    wrong, and then a real caller would vanish from the board.
    """
    agreed_at = turn.state.reconciled.agreed_at
    if agreed_at is None:
        return set()
    return {
        queue
        for agent in turn.state.agents.values()
        if agent.status is Status.ON
        and turn.at - agent.since >= PASSED_OVER
        and agreed_at >= agent.since
        for queue in agent.queues
    }


def _is_gone(call: Call) -> bool:
    """It left its last queue, nobody rings or talks: it was abandoned and no overflow followed."""
    idle = all(leg.state is LegState.OVER for leg in call.legs.values())
    return idle and bool(call.visits) and current_visit(call) is None


def _confirm_return(turn: Turn, call: Call) -> None:
    """A ring that seemed a late copy and was still there after a while was a real return."""
    visit = current_visit(call)
    if visit is None or not visit.echo or turn.at - visit.seen_at < ECHO:
        return
    visit.echo = False
    if call.state is CallState.ANSWERED:
        back_to_waiting(turn, call)
    settle(turn, call)


def _settle(turn: Turn, call: Call) -> None:
    if turn.at - (call.ended_at or 0) < SETTLE_AFTER:
        return
    call.settled = True
    conclude(call)
    settle(turn, call)


def _end_long_listening(turn: Turn, agent: Agent) -> None:
    still = [one for one in agent.listeners if turn.at - one.since < LISTEN_LIMIT]
    if len(still) != len(agent.listeners):
        agent.listeners = still
        turn.changes.agents.add(agent.extension)


def _forget(turn: Turn, calls: list[Call], caps: Caps) -> None:
    state = turn.state
    for call in calls:
        if call.settled and turn.at - (call.ended_at or 0) > kept_for(call):
            _bury(turn, call)
    for call in _too_many(state, caps):
        _bury(turn, call)
    # Insertion order is order of time, so the oldest come first.
    surplus = len(state.tombstones) - caps.tombstones
    due = takewhile(
        lambda row: row[0] < surplus or turn.at - row[1][1] > FORGET_TOMBSTONE,
        enumerate(state.tombstones.items()),
    )
    for _, (callid, _) in list(due):
        del state.tombstones[callid]


def _too_many(state: FloorState, caps: Caps) -> list[Call]:
    """The oldest of the calls that are over, before there is no room for new ones."""
    surplus = len(state.calls) - caps.kept
    over = (call for call in state.calls.values() if call.settled)
    return list(islice(over, surplus)) if surplus > 0 else []


def _bury(turn: Turn, call: Call) -> None:
    del turn.state.calls[call.callid]
    turn.state.tombstones[call.callid] = turn.at
    turn.changes.calls.add(call.callid)
