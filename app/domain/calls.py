"""Calls and their legs: what each report about a call changes. The numbers are design rules."""

from app.domain.agents import agent_of, drop_leg, join_queue, refresh
from app.domain.books import rebook
from app.domain.callers import reach
from app.domain.model import Call, Leg
from app.domain.states import CallState, Direction, LegState, Outcome
from app.domain.turn import Turn
from app.domain.visits import answered as visit_answered
from app.domain.visits import enter, reopen

CONFLICTS_KEPT = 100


def call_of(
    turn: Turn, callid: str, direction: Direction, phone: str, did: str = ""
) -> Call | None:
    """The call, new when never seen; None when it ended so long ago that this is a late copy."""
    call = turn.state.calls.get(callid)
    if call is None:
        if callid in turn.state.tombstones:
            return None
        call = Call(callid, direction, CallState.WAITING, turn.at, turn.at, turn.at)
        turn.state.calls[callid] = call
    turn.changes.calls.add(callid)
    call.phone, call.did = call.phone or phone, call.did or did
    call.heard_at = turn.at
    if call.lost:
        _revive(turn, call)
    if call.in_doubt:
        _believe(turn, call)
    if call.direction is not direction:
        # Nothing else is done about such a report, but the call may be back by it.
        _conflict(turn, call, direction)
        settle(turn, call)
    return call


def _revive(turn: Turn, call: Call) -> None:
    """That the call is lost was our own conclusion; the PBX speaks of it, so it is not."""
    call.lost, call.ended_at, call.settled = False, None, False
    call.state, call.since = CallState.WAITING, turn.at
    reopen(call)


def _believe(turn: Turn, call: Call) -> None:
    """The PBX speaks of a call that was doubted only because it had not for so long."""
    agents = [turn.state.agents[extension] for extension in call.legs]
    if any(agent.doubt_since is not None for agent in agents):
        return
    call.in_doubt = False
    for agent in agents:
        agent.in_doubt = False


def _conflict(turn: Turn, call: Call, told: Direction) -> None:
    text = (
        f"Call {call.callid} is {call.direction}, and was then reported as {told}; kept as it was."
    )
    if text not in turn.state.conflicts:
        turn.state.conflicts = [*turn.state.conflicts, text][-CONFLICTS_KEPT:]


def rings(turn: Turn, call: Call, extension: str, queue: str) -> None:
    """The call rings at `extension` (or only waits, without one)."""
    visit = enter(turn, call, queue) if queue else None
    if call.state is CallState.ENDED or (queue and visit is None):
        return
    if visit is not None and call.state is CallState.ANSWERED and not visit.echo:
        back_to_waiting(turn, call)
    if extension:
        _ring_leg(turn, call, extension, queue)


def back_to_waiting(turn: Turn, call: Call) -> None:
    """The caller was handed on to a queue and waits again: who talked is done."""
    for extension, leg in call.legs.items():
        if leg.state is LegState.TALKING:
            end_leg(turn, call, extension, moved=True)
    call.state, call.since = CallState.WAITING, turn.at


def _ring_leg(turn: Turn, call: Call, extension: str, queue: str) -> None:
    agent = agent_of(turn, extension, member=bool(queue))
    join_queue(turn, agent, queue)
    leg = call.legs.get(extension)
    if leg is not None and leg.state is not LegState.OVER:
        return
    call.legs[extension] = Leg(LegState.RINGING, turn.at, queue)
    agent.legs.append(call.callid)
    refresh(turn, agent)


def is_answered(turn: Turn, call: Call, extension: str, queue: str) -> None:
    """Rules 1 and 8: the first answer silences all other phones, a later one moves the call."""
    leg = call.legs.get(extension)
    if leg is not None and leg.state is LegState.OVER and leg.answered_at is not None:
        return  # told twice: the call has moved on since
    agent = agent_of(turn, extension, member=bool(queue))
    join_queue(turn, agent, queue)
    if leg is None or leg.state is not LegState.TALKING:
        visit_answered(turn, call, queue, extension)
    if call.state is CallState.ENDED:
        return
    for other in [ext for ext, leg in call.legs.items() if ext != extension]:
        end_leg(turn, call, other, moved=True)
    if leg is not None and leg.state is LegState.TALKING:
        return
    talks(turn, call, extension, queue)


def talks(turn: Turn, call: Call, extension: str, queue: str = "") -> None:
    """From now on this extension talks in this call."""
    agent = agent_of(turn, extension)
    call.legs[extension] = Leg(LegState.TALKING, turn.at, queue, answered_at=turn.at)
    if call.callid not in agent.legs:
        agent.legs.append(call.callid)
    call.state, call.since = CallState.ANSWERED, turn.at
    call.answered_at = call.answered_at or turn.at
    if (
        call.direction is Direction.INBOUND
        and not queue
        and not any(visit.agent == extension for visit in call.visits)
    ):
        agent.day.direct += 1
    refresh(turn, agent)


def end_leg(turn: Turn, call: Call, extension: str, *, moved: bool = False) -> None:
    """This agent's part is over. When the call moved on, the phone that said so first was right."""
    leg = call.legs[extension]
    if leg.state is LegState.OVER:
        return
    ended = turn.at
    if moved and leg.phone_left_at is not None:
        ended = leg.phone_left_at
    was_talking = leg.state is LegState.TALKING
    leg.state, leg.ended_at = LegState.OVER, ended
    if was_talking:
        _close_talk(call, extension, ended)
    drop_leg(turn, agent_of(turn, extension), call.callid, leg, ended)


def _close_talk(call: Call, extension: str, ended: int) -> None:
    for visit in call.visits:
        mine = visit.outcome is Outcome.ANSWERED and visit.agent == extension
        if mine and visit.talk_ms is None and not call.lost:
            visit.talk_ms = max(0, ended - (visit.answered_at or ended))


def silence(turn: Turn, call: Call, queue: str) -> None:
    """Nobody's phone rings for this call in this queue any more."""
    for extension, leg in list(call.legs.items()):
        if leg.state is LegState.RINGING and leg.queue == queue:
            end_leg(turn, call, extension)


def end(turn: Turn, call: Call, *, lost: bool = False) -> None:
    """Rule 2: the first word of the end ends the call; later ones only add facts. Then `settle`."""
    if call.state is CallState.ENDED:
        return
    call.lost = lost
    for extension in list(call.legs):
        end_leg(turn, call, extension)
    call.state, call.since, call.ended_at = CallState.ENDED, turn.at, turn.at
    call.in_doubt = False


def misses(turn: Turn, call: Call, extension: str, queue: str) -> None:
    """Rule 5: this agent let it ring out; the caller still waits. One miss a round."""
    if queue and all(visit.queue != queue for visit in call.visits):
        enter(turn, call, queue)
    agent = agent_of(turn, extension, member=bool(queue))
    join_queue(turn, agent, queue)
    leg = call.legs.setdefault(extension, Leg(LegState.OVER, turn.at, queue))
    if not leg.missed:
        leg.missed = True
        agent.day.missed += 1
    if leg.state is LegState.RINGING:
        end_leg(turn, call, extension)


def dials(turn: Turn, call: Call, extension: str, *, talking: bool) -> None:
    """An outbound call of this agent; counted once, on the day on which it was first seen."""
    agent = agent_of(turn, extension)
    if extension not in call.legs and call.first_seen >= turn.state.day_began:
        agent.day.outbound += 1
    if call.state is CallState.ENDED:
        call.legs.setdefault(extension, Leg(LegState.OVER, call.first_seen))
        return
    leg = call.legs.get(extension)
    if talking and (leg is None or leg.state is not LegState.TALKING):
        talks(turn, call, extension)
    elif leg is None:
        _ring_leg(turn, call, extension, "")


def settle(turn: Turn, call: Call) -> None:
    """The call's counts and all that shows it follow what was just learned of it."""
    rebook(turn, call)
    reach(turn, call)
    turn.touch(call)
