"""The queues: who rings for which caller, in rounds, until someone answers or the caller leaves.

Nothing tells the outside that a caller joined, or that a phone fell silent, except by its status.
"""

from functools import partial

from app.simulator.model import Agent, Call, Queue
from app.simulator.switch import Switch
from app.simulator.wire import CALLDATA

# A queue hears a little late that a phone rings for another queue, so one phone may ring for two.
NEWS_DELAY = 0.03
SERVE_DELAY = 0.25


class Distribution:
    def __init__(self, switch: Switch, *, announce_waiting: bool) -> None:
        self._switch = switch
        self._engine = switch.engine
        self._announce_waiting = announce_waiting
        switch.on_change.append(self.agent_changed)

    # -- members -------------------------------------------------------------------------------

    def agent_changed(self, agent: Agent) -> None:
        for number in agent.queues:
            queue = self._switch.queues[number]
            if agent.word == "on":
                self._became_idle(queue, agent)
            elif agent.word == "ring" and len(agent.queues) > 1:
                self._engine.after(NEWS_DELAY, partial(self._became_busy, queue, agent))
            else:
                queue.idle.pop(agent.extension, None)

    def _became_idle(self, queue: Queue, agent: Agent) -> None:
        if agent.extension not in queue.idle:
            queue.idle[agent.extension] = None
            if queue.waiting:
                self._engine.after(SERVE_DELAY, partial(self.serve, queue))

    def _became_busy(self, queue: Queue, agent: Agent) -> None:
        if agent.word != "on":
            queue.idle.pop(agent.extension, None)

    # -- ringing -------------------------------------------------------------------------------

    def enter(self, call: Call, number: str) -> None:
        queue = self._switch.queues[number]
        call.queue, call.entered, call.waits = number, self._engine.now, True
        queue.waiting[call.callid] = call
        queue.tally.offered += 1
        if queue.overflow and not call.moved:
            call.timers.append(self._engine.after(queue.limit, partial(self.overflow, call)))
        self.serve(queue)
        if self._announce_waiting and not call.legs:
            self._switch.say_call_in(call, "", "RING", "QueueCallerJoin")

    def serve(self, queue: Queue) -> None:
        """Callers in the order of their arrival, as long as there are idle phones."""
        for call in list(queue.waiting.values()):
            if not queue.idle:
                return
            if not call.legs and not call.rests:
                self._ring_round(queue, call)

    def _ring_round(self, queue: Queue, call: Call) -> None:
        extensions = list(queue.idle)
        if queue.strategy == "round-robin":
            extensions = extensions[:1]
        agents = [self._switch.agents[extension] for extension in extensions]
        for agent in agents:
            # At the end of the line: whoever rang last is asked last.
            queue.idle.pop(agent.extension)
        call.round = self._engine.after(queue.timeout, partial(self._round_in_vain, queue, call))
        call.timers.append(call.round)
        self._switch.ring(call, agents, "queue")

    def _round_in_vain(self, queue: Queue, call: Call) -> None:
        silent = [self._switch.agents[leg.extension] for leg in call.ringing()]
        for agent in silent:
            self._say_no_answer(call, agent)
            if queue.autopause and agent.logged_in and not agent.paused:
                agent.paused, agent.paused_by = True, "queue"
        with self._switch.wire.mixed():
            for agent in silent:
                self._switch.release(call, agent.extension)
        self._rest(queue, call, queue.retry)

    def _rest(self, queue: Queue, call: Call, span: float) -> None:
        call.rests = True
        call.timers.append(self._engine.after(span, partial(self._rested, queue, call)))

    def _rested(self, queue: Queue, call: Call) -> None:
        call.rests = False
        self.serve(queue)

    def _say_no_answer(self, call: Call, agent: Agent) -> None:
        params = {"callid": call.callid, "status": "NOANSWER", "queue": call.queue}
        params |= {"extension": agent.extension, "phone": call.phone}
        agent.missed += 1
        self._switch.wire.say(CALLDATA, params, "AgentRingNoAnswer")

    # -- ways out ------------------------------------------------------------------------------

    def answer(self, agent: Agent, call: Call) -> None:
        queue = self._leave(call)
        queue.tally.answered += 1
        queue.tally.holds += self._engine.now - call.entered
        self._switch.pick_up(call, agent)
        self._switch.announce_answer(call, agent, "AgentConnect")
        with self._switch.wire.mixed():
            for leg in call.ringing():
                self._switch.release(call, leg.extension)
        self._switch.connected(call, agent)

    def decline(self, agent: Agent, call: Call) -> None:
        """The agent's phone says busy: only this phone stops, the next one rings at once."""
        self._say_no_answer(call, agent)
        self._switch.release(call, agent.extension)
        if not call.legs and call.round is not None:
            call.round.cancel()
            self._rest(self._switch.queues[call.queue], call, 0.002)

    def abandon(self, call: Call) -> None:
        if not call.waits:
            return
        self._leave(call).tally.abandoned += 1
        with self._switch.wire.mixed():
            self._say_abandon(call)
            self._switch.records.keep_abandoned(call)
            self._switch.say_hangup(call)
            self._switch.close(call)

    def overflow(self, call: Call) -> None:
        """To the caller a change of the queue; to the outside an abandon, then a ring elsewhere."""
        old = self._leave(call)
        old.tally.otherwise += 1
        call.moved = True
        silent = [leg.extension for leg in call.ringing()]
        for extension in silent:
            self._say_no_answer(call, self._switch.agents[extension])
        with self._switch.wire.mixed():
            self._say_abandon(call)
            for extension in silent:
                self._switch.release(call, extension)
        self.enter(call, old.overflow)

    def _leave(self, call: Call) -> Queue:
        queue = self._switch.queues[call.queue]
        del queue.waiting[call.callid]
        call.waits = call.rests = False
        call.cancel_timers()
        return queue

    def _say_abandon(self, call: Call) -> None:
        held = str(int(self._engine.now - call.entered))
        params = {"callid": call.callid, "holdtime": held, "status": "ABANDON"}
        params |= {"queue": call.queue, "phone": call.phone}
        self._switch.wire.say(CALLDATA, params, "QueueCallerAbandon")
