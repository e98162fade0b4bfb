"""What a phone is said to do: pushed by the PBX, or answered by it when asked."""

from dataclasses import replace

from app.domain import events
from app.domain.agents import agent_of, claim_phone, refresh
from app.domain.books import queue_of
from app.domain.calls import end, end_leg, is_answered, settle, talks
from app.domain.model import Agent, Queue, Repair
from app.domain.states import Direction, LegState, Status
from app.domain.turn import GRACE, Turn

REPAIRS_KEPT = 500


def phone_reported(turn: Turn, event: events.PhoneReported) -> None:
    agent = agent_of(turn, event.extension)
    stopped = agent.phone is Status.RING and event.status == Status.ON
    claim_phone(turn, agent, Status(event.status))
    if stopped:
        _stop_ringing(turn, event.extension)
    refresh(turn, agent)


def _stop_ringing(turn: Turn, extension: str) -> None:
    """Rule 1: a phone that rang and is ready again has stopped ringing; nothing else may say so."""
    for callid in list(turn.state.agents[extension].legs):
        call = turn.state.calls[callid]
        if call.legs[extension].state is LegState.RINGING:
            end_leg(turn, call, extension)
            settle(turn, call)


def phone_verified(turn: Turn, event: events.PhoneVerified) -> None:
    """Rule 9: the PBX was asked, and its answer settles the doubt."""
    agent = agent_of(turn, event.extension)
    before = _described(agent)
    agent.verified_at = turn.at
    _confirm(turn, agent)
    if event.queues is not None:
        _set_queues(turn, agent, event.queues)
    status = Status(event.status) if event.status else None
    if status is not None:
        _settle_phone(turn, agent, status)
    if event.paused is not None and status not in {Status.OFF, Status.PAUSE}:
        _set_paused(agent, paused=event.paused)
    refresh(turn, agent)
    if before != _described(agent):
        repair = Repair(turn.at, agent.extension, before, _described(agent), event.source)
        turn.state.repairs = [*turn.state.repairs, repair][-REPAIRS_KEPT:]
        turn.state.reconciled.repairs_today += 1
        turn.changes.totals = True


def _described(agent: Agent) -> str:
    """What a repair may change, as an administrator reads it."""
    paused = agent.mode is Status.PAUSE and agent.status is not Status.PAUSE
    return f"{agent.status}, paused" if paused else str(agent.status)


def _confirm(turn: Turn, real: Agent | Queue) -> None:
    """The PBX knows it, so it counts against no cap any more."""
    if not real.told:
        real.told = turn.changes.roster = True


def _set_queues(turn: Turn, agent: Agent, queues: tuple[str, ...]) -> None:
    told = sorted(queues)
    for queue in told:
        known = turn.state.queues.get(queue)
        # Most are known, and their tiles need not be drawn again.
        if known is None or not known.told:
            _confirm(turn, queue_of(turn, queue))
    if told != agent.queues:
        turn.changes.queues.update(agent.queues, told)
        agent.queues = told


def _set_paused(agent: Agent, *, paused: bool) -> None:
    if paused:
        agent.mode = Status.PAUSE
    elif agent.mode is Status.PAUSE:
        agent.mode = Status.ON


def _settle_phone(turn: Turn, agent: Agent, status: Status) -> None:
    """The PBX's word on the phone against our legs; a leg younger than the grace may be newer."""
    if status is Status.TALK:
        _answer_unheard(turn, agent)
    claim_phone(turn, agent, status)
    for callid in list(agent.legs):
        call = turn.state.calls[callid]
        leg = call.legs[agent.extension]
        if status in {Status.TALK, Status.RING} or turn.at - leg.since <= GRACE:
            call.heard_at = turn.at
        elif leg.state is LegState.TALKING:
            end(turn, call, lost=True)
        else:
            end_leg(turn, call, agent.extension)
        settle(turn, call)
    agent.in_doubt, agent.doubt_since = False, None


def _answer_unheard(turn: Turn, agent: Agent) -> None:
    """The PBX says that this phone talks, and all we know of it is one call that rings: answered.

    When the phone had said so by itself, that was the moment. A record or an abandon told later
    replaces this conclusion.
    """
    if len(agent.legs) != 1:
        return
    call = turn.state.calls[agent.legs[0]]
    leg = call.legs[agent.extension]
    talked_before = agent.status is Status.TALK and agent.since < leg.since
    if leg.state is not LegState.RINGING or turn.at - leg.since <= GRACE or talked_before:
        return
    then = agent.since if agent.status is Status.TALK else turn.at
    at_that_time = replace(turn, at=then)
    if call.direction is Direction.OUTBOUND:
        talks(at_that_time, call, agent.extension)
    else:
        is_answered(at_that_time, call, agent.extension, leg.queue)
    for visit in call.visits:
        visit.inferred = visit.inferred or visit.answered_at == then
