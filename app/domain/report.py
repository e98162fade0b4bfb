"""The floor as the JSON API prints it (design §5): plain values, UTC times, spans in seconds."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from app.domain.board import (
    abandon_rows,
    agent_card,
    extension_order,
    is_waiting,
    queue_tiles,
    ringing,
    totals,
)
from app.domain.figures import occupancy, window_figures
from app.domain.model import Agent, Call, FloorState, Queue
from app.domain.states import CallState, LegState, Status
from app.domain.turn import Changes
from app.domain.view import Figures, QueueTile
from app.domain.visits import current_visit

Json = dict[str, Any]
# In minutes.
WINDOWS = (15, 30, 60)


def rfc3339(at: int) -> str:
    """Milliseconds since the epoch as 2026-11-22T03:15:20.123Z."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"


def floor_report(state: FloorState, now: int, rejected: int = 0) -> Json:
    """The whole floor at `now` (ms). `rejected` webhooks are counted where they are refused."""
    webhooks = state.webhooks
    extensions = sorted(state.agents, key=extension_order)
    return {
        "as_of": rfc3339(now),
        "seq": state.seq,
        "agents": [_agent(state, state.agents[extension], now) for extension in extensions],
        "queues": [
            _queue(tile, now) | {"last": _windows([state.queues[tile.queue]], now)}
            for tile in queue_tiles(state)
        ],
        "calls": [_call(call) for call in state.calls.values() if _is_live(call)],
        "abandons": [
            {
                "callid": row.callid,
                "queue": row.queue,
                "phone": row.phone,
                "at": rfc3339(row.at),
                "waited_s": row.waited_s,
                "exact": row.exact,
                "called_back": row.called_back,
                "reached": row.reached,
            }
            for row in abandon_rows(state)
        ],
        "webhooks": {
            "accepted": webhooks.accepted,
            "flagged": webhooks.flagged,
            "rejected": rejected,
            "last_at": None if webhooks.last_at is None else rfc3339(webhooks.last_at),
        },
        "today": figures_json(totals(state).today),
        "last": _windows(state.queues.values(), now),
    }


def changes_report(state: FloorState, changes: Changes, now: int) -> Json:
    """What changed, as it is now: agents, queues, calls (None: no longer live) and the totals."""
    tiles = {tile.queue: tile for tile in queue_tiles(state)} if changes.queues else {}
    calls = {callid: state.calls.get(callid) for callid in sorted(changes.calls)}
    return {
        "as_of": rfc3339(now),
        "seq": state.seq,
        "agents": [
            _agent(state, state.agents[extension], now)
            for extension in sorted(changes.agents & state.agents.keys(), key=extension_order)
        ],
        "queues": [_queue(tiles[name], now) for name in sorted(changes.queues & tiles.keys())],
        "calls": {
            callid: _call(call) if call is not None and _is_live(call) else None
            for callid, call in calls.items()
        },
        "today": figures_json(totals(state).today),
    }


def _agent(state: FloorState, agent: Agent, now: int) -> Json:
    card = agent_card(state, agent.extension)
    seconds = status_seconds(agent, now)
    return {
        "extension": card.extension,
        "name": card.name,
        "status": card.status,
        "since": rfc3339(card.since),
        "paused": card.paused,
        "in_doubt": card.in_doubt,
        "other_call": card.other_call,
        "queues": list(card.queues),
        "calls": list(card.calls),
        "today": {
            "answered": card.answered,
            "missed": card.missed,
            "outbound": card.outbound,
            "direct": agent.day.direct,
            "queue_talk_s": agent.day.queue_talk_ms / 1000,
            **{f"{status}_s": seconds[status] for status in Status},
            "occupancy": occupancy(
                round(seconds[Status.TALK] * 1000), round(seconds[Status.ON] * 1000)
            ),
        },
    }


def status_seconds(agent: Agent, now: int) -> dict[Status, float]:
    """Seconds of today in each status, the running one up to `now` (ms)."""
    spent = {status: agent.day.status_ms.get(status, 0) for status in Status}
    spent[agent.status] += max(0, now - agent.accrued_at)
    return {status: ms / 1000 for status, ms in spent.items()}


def _queue(tile: QueueTile, now: int) -> Json:
    return {
        "queue": tile.queue,
        "name": tile.name,
        "waiting": tile.waiting,
        "longest_wait_s": 0 if tile.oldest is None else max(0, now - tile.oldest) / 1000,
        "talking": tile.talking,
        "agents": {str(status): count for status, count in tile.agents.items()},
        "today": figures_json(tile.today),
    }


def _windows(queues: Collection[Queue], now: int) -> Json:
    """Of the visits that arrived in the last minutes: {how many: the figures}."""
    return {str(minutes): figures_json(window_figures(queues, minutes, now)) for minutes in WINDOWS}


def figures_json(figures: Figures) -> Json:
    """The counters and figures of one queue, or of all."""
    return {name: getattr(figures, name) for name in figures.__slots__}


def _is_live(call: Call) -> bool:
    waiting = call.state is CallState.WAITING and (
        not call.visits or current_visit(call) is not None
    )
    return waiting or call.state is CallState.ANSWERED


def _call(call: Call) -> Json:
    visit = current_visit(call)
    answered = [v.queue for v in call.visits if v.answered_at is not None]
    talking = [ext for ext, leg in call.legs.items() if leg.state is LegState.TALKING]
    queue = visit.queue if visit and not is_answered(call) else (answered[-1] if answered else None)
    return {
        "callid": call.callid,
        "state": call.state,
        "direction": call.direction,
        "phone": call.phone,
        "queue": queue,
        "did": call.did,
        "since": rfc3339(call.since),
        "first_seen": rfc3339(call.first_seen),
        "ringing": list(ringing(call)) if is_waiting(call) or call.legs else [],
        "agent": talking[0] if talking else None,
        "in_doubt": call.in_doubt,
    }


def is_answered(call: Call) -> bool:
    """Somebody talks with this caller."""
    return call.state is CallState.ANSWERED
