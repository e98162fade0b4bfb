"""Agents: the mode, the phone's claims and the legs, and the one status derived from them.

The status shown is never set, always derived: talk if any leg talks or the phone claims to talk,
else ring likewise, else the mode. Time in each status is booked when the derived status changes.
"""

from app.domain.model import Agent, Leg
from app.domain.states import Direction, LegState, Status
from app.domain.turn import GRACE, Turn

MODES = frozenset({Status.OFF, Status.ON, Status.PAUSE})


def agent_of(turn: Turn, extension: str, *, member: bool = False) -> Agent:
    """The agent at that extension, discovered when new; a queue rings only who is logged in."""
    agent = turn.state.agents.get(extension)
    if agent is None:
        mode = Status.ON if member else Status.OFF
        agent = Agent(extension, mode, turn.at, mode, mode, turn.at, accrued_at=turn.at)
        turn.state.agents[extension] = agent
        turn.changes.roster = turn.changes.totals = True
    turn.changes.agents.add(extension)
    return agent


def join_queue(turn: Turn, agent: Agent, queue: str) -> None:
    """A queue rang this agent, so the agent serves it."""
    if queue and queue not in agent.queues:
        agent.queues = sorted([*agent.queues, queue])
        turn.changes.queues.add(queue)


def live_legs(turn: Turn, agent: Agent) -> list[Leg]:
    """The legs that ring or talk."""
    calls = turn.state.calls
    return [calls[callid].legs[agent.extension] for callid in agent.legs]


def talking_legs(turn: Turn, agent: Agent) -> list[Leg]:
    """The legs that talk."""
    return [leg for leg in live_legs(turn, agent) if leg.state is LegState.TALKING]


def derived_status(turn: Turn, agent: Agent) -> Status:
    """What the agent does, from legs, phone and mode."""
    states = [leg.state for leg in live_legs(turn, agent)] if agent.legs else ()
    if LegState.TALKING in states or agent.phone is Status.TALK:
        return Status.TALK
    if LegState.RINGING in states or agent.phone is Status.RING:
        return Status.RING
    return agent.mode


def refresh(turn: Turn, agent: Agent, since: int | None = None) -> None:
    """Derive the status anew; a change holds from `since` (ms), which may lie a little back."""
    turn.changes.agents.add(agent.extension)
    status = derived_status(turn, agent)
    if status is agent.status:
        return
    moment = max(turn.at if since is None else since, agent.since, agent.accrued_at)
    accrue(agent, moment)
    agent.status, agent.since = status, moment
    if Status.PAUSE not in {status, agent.mode} and not agent.pause_wanted:
        agent.pause_reason, agent.pause_until, agent.pause_by = "", None, ""
    turn.changes.queues.update(agent.queues)
    turn.changes.totals = True


def accrue(agent: Agent, until: int) -> None:
    """Book the time in the present status up to `until`."""
    spent = max(0, until - agent.accrued_at)
    agent.day.status_ms[agent.status] = agent.day.status_ms.get(agent.status, 0) + spent
    agent.accrued_at = max(until, agent.accrued_at)


def claim_phone(turn: Turn, agent: Agent, status: Status) -> None:
    """The PBX says what this phone does now."""
    agent.phone, agent.phone_at = status, turn.at
    if status in MODES:
        agent.mode = status
    doubt_phone(turn, agent)


def doubt_phone(turn: Turn, agent: Agent) -> None:
    """Rule 9: a phone said to be free while a leg talks contradicts it, from the first word on."""
    talking = talking_legs(turn, agent)
    if not talking or agent.phone not in MODES:
        end_doubt(turn, agent)
        for leg in talking:
            leg.phone_left_at = None
        return
    if agent.doubt_since is None:
        agent.doubt_since = turn.at
    for leg in talking:
        if agent.phone is Status.ON and leg.phone_left_at is None:
            leg.phone_left_at = turn.at


def end_doubt(turn: Turn, agent: Agent) -> None:
    """The words agree again."""
    if agent.doubt_since is None and not agent.in_doubt:
        return
    agent.doubt_since, agent.in_doubt = None, False
    for callid in agent.legs:
        turn.state.calls[callid].in_doubt = False
        turn.changes.calls.add(callid)
    turn.changes.agents.add(agent.extension)
    turn.changes.waiting = turn.changes.totals = True


def drop_leg(turn: Turn, agent: Agent, callid: str, leg: Leg, ended_at: int) -> None:
    """The agent's part in a call is over."""
    if callid in agent.legs:
        agent.legs.remove(callid)
    _explain_phone(turn, agent, leg)
    if not talking_legs(turn, agent):
        end_doubt(turn, agent)
        turn.state.calls[callid].in_doubt = False
    agent.listeners = [one for one in agent.listeners if one.callid != callid]
    refresh(turn, agent, ended_at)


def _explain_phone(turn: Turn, agent: Agent, leg: Leg) -> None:
    """What the phone claimed because of a leg is over with it; an older claim has another cause."""
    if agent.phone_at < leg.since - GRACE:
        return
    left = {other.state for other in live_legs(turn, agent)}
    if agent.phone is Status.RING and LegState.RINGING not in left:
        agent.phone = agent.mode
    if agent.phone is Status.TALK and LegState.TALKING not in left and not _dials(turn, agent):
        agent.phone = agent.mode


def _dials(turn: Turn, agent: Agent) -> bool:
    """The agent's own phone is in use while the customer's phone rings."""
    calls = turn.state.calls
    return any(calls[callid].direction is Direction.OUTBOUND for callid in agent.legs)
