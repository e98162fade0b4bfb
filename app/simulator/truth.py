"""The simulator's own account of the floor, to compare with what others made of its webhooks."""

from typing import Any

from app.simulator.exchange import Exchange
from app.simulator.model import Agent, Call, Queue


def truth(exchange: Exchange) -> dict[str, Any]:
    """Status words are those last pushed; `today` counts since the start, sums in seconds."""
    switch = exchange.switch
    calls = {callid: call for callid, call in switch.calls.items() if call.announced}
    talking = [call.queue for call in calls.values() if call.answered is not None]
    people = [agent for agent in switch.agents.values() if agent.queues]
    return {
        "as_of": round(exchange.engine.now, 3),
        "agents": {agent.extension: _agent(agent) for agent in people},
        "queues": {
            number: {
                "name": queue.name,
                "waiting": len(queue.waiting),
                "talking": talking.count(number),
            }
            for number, queue in switch.queues.items()
        },
        "calls": {callid: _call(call) for callid, call in calls.items()},
        "today": {number: _today(queue) for number, queue in switch.queues.items()},
        "listening": [
            {"src": one.src, "dst": one.dst, "mode": one.mode, "callid": one.callid}
            | {"connected": one.connected is not None, "ended": one.ended is not None}
            for one in exchange.listeners.sessions
        ],
        "webhooks": switch.wire.count,
    }


def _agent(agent: Agent) -> dict[str, Any]:
    return {
        "name": agent.name,
        "status": agent.word,
        "paused": agent.paused,
        "calls": list(agent.legs),
        "queues": list(agent.queues),
        "today": {
            "answered": agent.answered,
            "direct": agent.direct,
            "missed": agent.missed,
            "outbound": agent.outbound,
            "talk": round(agent.talk, 1),
        },
    }


def _call(call: Call) -> dict[str, Any]:
    talker = call.talker()
    return {
        "state": "waiting" if call.answered is None else "answered",
        "direction": call.direction,
        "phone": call.phone,
        "queue": call.queue,
        "started": round(call.started, 3),
        "agent": talker.extension if talker else None,
        "ringing": [leg.extension for leg in call.ringing()],
    }


def _today(queue: Queue) -> dict[str, Any]:
    tally = queue.tally
    return {
        "offered": tally.offered,
        "answered": tally.answered,
        "abandoned": tally.abandoned,
        "otherwise": tally.otherwise,
        "holds": round(tally.holds, 1),
        "talk": round(tally.talk, 1),
    }
