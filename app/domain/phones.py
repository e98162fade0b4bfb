"""What a phone is said to do: pushed by the PBX, or answered by it when asked."""

from app.domain import events
from app.domain.agents import agent_of, claim_phone, refresh
from app.domain.books import queue_of
from app.domain.calls import end, end_leg, settle
from app.domain.states import LegState, Status
from app.domain.turn import GRACE, Turn


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
    agent.verified_at = turn.at
    if event.queues is not None and list(event.queues) != agent.queues:
        turn.changes.queues.update(agent.queues, event.queues)
        agent.queues = sorted(event.queues)
        for queue in agent.queues:
            queue_of(turn, queue)
    status = Status(event.status) if event.status else None
    if event.paused is not None and status not in {Status.OFF, Status.PAUSE}:
        agent.mode = (
            Status.PAUSE
            if event.paused
            else (Status.ON if agent.mode is Status.PAUSE else agent.mode)
        )
    if status is not None:
        _settle_phone(turn, event.extension, status)
    refresh(turn, agent)


def _settle_phone(turn: Turn, extension: str, status: Status) -> None:
    agent = agent_of(turn, extension)
    claim_phone(turn, agent, status)
    busy = {Status.TALK, Status.RING}
    for callid in list(agent.legs):
        call = turn.state.calls[callid]
        leg = call.legs[extension]
        if status is Status.TALK or turn.at - leg.since <= GRACE:
            call.heard_at = turn.at
        elif leg.state is LegState.TALKING:
            end(turn, call, lost=True)
        elif status not in busy:
            end_leg(turn, call, extension)
        settle(turn, call)
    agent.in_doubt, agent.doubt_since = False, None
