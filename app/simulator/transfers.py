"""Transfers: blind (the call rings on elsewhere) and attended (of which no webhook tells)."""

from functools import partial

from app.simulator.model import Agent, Call
from app.simulator.switch import Switch

TARGET_RINGS_FOR = 20.0


class Transfers:
    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._engine = switch.engine

    def blind(self, call: Call, agent: Agent, target: Agent) -> None:
        """The agent is rid of the call at once; the caller hears the target's phone ring."""
        call.cancel_timers()
        self._switch.release(call, agent.extension)
        self._switch.ring(call, [target], "transfer")
        in_vain = partial(self._switch.hang_up, call)
        call.timers.append(self._engine.after(TARGET_RINGS_FOR, in_vain))

    def blind_answered(self, target: Agent, call: Call) -> None:
        call.cancel_timers()
        self._switch.pick_up(call, target)
        if self._agents_stand_behind_locals(call):
            # Then the exchange charges the first agent with the whole call, in one record.
            call.segments.pop().end = None
            call.segments[0].end = None
        self._switch.announce_answer(call, target, "DialEnd")
        self._switch.connected(call, target)

    def _agents_stand_behind_locals(self, call: Call) -> bool:
        queue = self._switch.queues.get(call.queue)
        return queue is not None and queue.strategy == "ring-all"

    def consult(self, call: Call, target: Agent) -> None:
        """The agent asks the target first while the caller is on hold."""
        self._switch.ring(call, [target], "consult")
        in_vain = partial(self._unheard, call, target)
        call.timers.append(self._engine.after(TARGET_RINGS_FOR, in_vain))

    def _unheard(self, call: Call, target: Agent) -> None:
        leg = call.legs.get(target.extension)
        if leg is not None and not leg.talks:
            self._switch.release(call, target.extension)

    def consult_answered(self, target: Agent, call: Call) -> None:
        leg = call.legs[target.extension]
        leg.talked_from = self._engine.now
        self._switch.report(target)

    def hand_over(self, call: Call, agent: Agent, target: Agent) -> None:
        """The consultation ends, the target keeps the caller: only the agent's status shows it."""
        leg = call.legs.get(target.extension)
        if call.ended or leg is None or not leg.talks or agent.extension not in call.legs:
            return
        call.cancel_timers()
        self._switch.release(call, agent.extension)
        for segment in call.segments:
            # The record stays the first agent's, to the end of the call.
            segment.end = None
        self._switch.connected(call, target)
