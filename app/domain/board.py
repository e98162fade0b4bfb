"""What readers see, built from the state: one function per card, tile and list."""

from collections.abc import Iterable
from dataclasses import replace

from app.domain.figures import USUAL, queue_figures, total_figures
from app.domain.model import Agent, Call, FloorState
from app.domain.numbers import caller_key
from app.domain.states import CallState, Direction, LegState, Status
from app.domain.view import AbandonRow, AgentCard, Figures, QueueTile, Totals, WaitingRow
from app.domain.visits import current_visit

ABANDONS_SHOWN = 50


def agent_card(state: FloorState, extension: str) -> AgentCard:
    """One agent, with the call that its status speaks of (a talking one before a ringing one)."""
    agent = state.agents[extension]
    calls = [state.calls[callid] for callid in agent.legs]
    calls.sort(key=lambda call: call.legs[extension].state is not LegState.TALKING)
    first = calls[0] if calls else None
    return AgentCard(
        extension=extension,
        name=agent.name,
        team=agent.team,
        status=agent.status,
        since=agent.since,
        paused=agent.mode is Status.PAUSE,
        in_doubt=agent.in_doubt or any(call.in_doubt for call in calls),
        other_call=agent.status in {Status.TALK, Status.RING} and not calls,
        queues=tuple(agent.queues),
        calls=tuple(call.callid for call in calls),
        phone=first.phone if first else "",
        queue=first.legs[extension].queue if first else "",
        direction=first.direction if first else "",
        answered=agent.day.answered,
        missed=agent.day.missed,
        outbound=agent.day.outbound,
        pause_reason=agent.pause_reason,
        pause_until=agent.pause_until,
        pause_wanted=agent.pause_wanted,
        never_listen=agent.never_listen,
        listeners=tuple((one.supervisor, one.mode, one.since) for one in agent.listeners),
    )


def agent_cards(state: FloorState) -> list[AgentCard]:
    """All agents, by extension."""
    return [agent_card(state, extension) for extension in sorted(state.agents, key=extension_order)]


def extension_order(extension: str) -> tuple[int, str]:
    """Numbers by their size, then the rest by their letters."""
    return (
        (int(extension), "") if extension.isascii() and extension.isdigit() else (10**32, extension)
    )


def is_waiting(call: Call) -> bool:
    """A caller nobody has answered, still in a queue or ringing a phone."""
    if call.state is not CallState.WAITING or call.direction is not Direction.INBOUND:
        return False
    return not call.visits or current_visit(call) is not None


def recent_calls(state: FloorState) -> list[Call]:
    """Every call that goes on, and few others: most of those remembered are over and settled."""
    return [call for call in state.calls.values() if not call.settled]


def waiting_rows(state: FloorState) -> list[WaitingRow]:
    """The callers who wait, the longest first."""
    return longest_first(waiting_row(call) for call in recent_calls(state) if is_waiting(call))


def longest_first(rows: Iterable[WaitingRow]) -> list[WaitingRow]:
    """In the order in which they began to wait."""
    return sorted(rows, key=lambda row: (row.since, row.callid))


def waiting_row(call: Call) -> WaitingRow:
    """The row of a call that waits."""
    visit = current_visit(call)
    return WaitingRow(
        callid=call.callid,
        queue=visit.queue if visit else "",
        phone=call.phone,
        did=call.did,
        since=visit.seen_at if visit else call.first_seen,
        ringing=ringing(call),
        in_doubt=call.in_doubt,
    )


def ringing(call: Call) -> tuple[str, ...]:
    """The extensions at which the call rings."""
    legs = [ext for ext, leg in call.legs.items() if leg.state is LegState.RINGING]
    return tuple(sorted(legs, key=extension_order))


def talking_queue(call: Call) -> str | None:
    """The queue whose caller talks now; None where the call is not answered or came from none."""
    if call.state is not CallState.ANSWERED:
        return None
    answered = [visit for visit in call.visits if visit.answered_at is not None]
    return answered[-1].queue if answered else None


def queue_tiles(state: FloorState) -> list[QueueTile]:
    """All queues, by id; what came from no known queue is in the totals only."""
    waits = waiting_rows(state)
    talking = [talking_queue(call) for call in recent_calls(state)]
    return [
        _tile(
            state, queue, [row.since for row in waits if row.queue == queue], talking.count(queue)
        )
        for queue in sorted(state.queues, key=extension_order)
        if queue
    ]


def _tile(state: FloorState, queue: str, waits: list[int], talking: int) -> QueueTile:
    own = [agent for agent in state.agents.values() if queue in agent.queues]
    return QueueTile(
        queue=queue,
        name=state.queues[queue].name,
        waiting=len(waits),
        oldest=min(waits, default=None),
        talking=talking,
        agents=by_status(own),
        today=queue_figures(state.queues[queue]),
    )


def by_status(agents: Iterable[Agent]) -> dict[Status, int]:
    """How many are in each status."""
    counts = dict.fromkeys(Status, 0)
    for agent in agents:
        counts[agent.status] += 1
    return counts


def totals(state: FloorState, scope: frozenset[str] | None = None) -> Totals:
    """The whole floor, or these queues of it; a person in two queues counts once."""
    talking = [talking_queue(call) for call in recent_calls(state)]
    agents = [
        agent
        for agent in state.agents.values()
        if scope is None or not scope.isdisjoint(agent.queues)
    ]
    return totals_of(
        state,
        scope,
        rows=waiting_rows(state),
        talking=sum(within(scope, queue) for queue in talking if queue is not None),
        agents=by_status(agents),
        in_doubt=sum(agent.in_doubt for agent in agents),
        today=total_figures([queue for name, queue in state.queues.items() if within(scope, name)]),
    )


def totals_of(
    state: FloorState,
    scope: frozenset[str] | None,
    *,
    rows: list[WaitingRow],
    talking: int,
    agents: dict[Status, int],
    in_doubt: int,
    today: Figures,
) -> Totals:
    """The totals from all waiting rows, the longest first, and what was counted in scope."""
    waits = [row for row in rows if within(scope, row.queue)]
    return Totals(
        waiting=len(waits),
        oldest=waits[0].since if waits else None,
        oldest_t=limit_s(state, waits[0].queue) if waits else None,
        talking=talking,
        agents=agents,
        in_doubt=in_doubt,
        today=today,
        reconciled=replace(state.reconciled),
        to_call_back=_to_call_back(state, scope),
    )


def limit_s(state: FloorState, queue: str) -> int:
    """The queue's T; the usual one for a queue that is not known, or for none."""
    return state.queues.get(queue, USUAL).service_level_s


def _to_call_back(state: FloorState, scope: frozenset[str] | None) -> int:
    """How many gave up today and still want a call; one who hides the number is not counted.

    (Such callers can't be told from one another, nor called back.)
    """
    rows = (row for row in state.abandons if row.phone and not (row.called_back or row.reached))
    return len({caller_key(row.phone, row.callid) for row in rows if within(scope, row.queue)})


def within(scope: frozenset[str] | None, queue: str) -> bool:
    """The queue is one of these; None stands for all."""
    return scope is None or queue in scope


def abandon_rows(state: FloorState, scope: frozenset[str] | None = None) -> list[AbandonRow]:
    """Those who gave up today in these queues, the newest first; of many, the newest 50."""
    rows = [row for row in state.abandons if within(scope, row.queue)]
    rows.sort(key=lambda row: row.at, reverse=True)
    return [
        AbandonRow(
            callid=row.callid,
            queue=row.queue,
            phone=row.phone,
            at=row.at,
            waited_s=row.waited_s,
            exact=row.exact,
            called_back=row.called_back,
            reached=row.reached,
        )
        for row in rows[:ABANDONS_SHOWN]
    ]
