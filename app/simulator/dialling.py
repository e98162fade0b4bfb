"""Calls past the queues: dialled by an agent, by click-to-call, or straight to an extension."""

from functools import partial

from app.simulator.model import Agent, Call, Segment
from app.simulator.switch import Switch

CUSTOMER_RINGS_FOR = 30.0
CLICK_RINGS_FOR = 15.0
DIRECT_RINGS_FOR = 20.0
COMPANY_NUMBER = "02800000900"


class Dialling:
    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._engine = switch.engine

    # -- outbound ------------------------------------------------------------------------------

    def outbound(self, agent: Agent, phone: str) -> Call:
        """An agent dials: the phone is off the hook while the customer's phone still rings."""
        call = self._switch.new_call("Outbound", phone, COMPANY_NUMBER)
        call.agent = agent.extension
        self._switch.add_leg(call, agent, "outbound", talks=True)
        call.segments.append(Segment(agent.extension, self._engine.now))
        self._customer_rings(agent, call)
        return call

    def _customer_rings(self, agent: Agent, call: Call) -> None:
        agent.outbound += 1
        self._switch.say_init(call, "RING", "DialBegin")
        self._switch.report(agent)
        in_vain = partial(self.fail, call, "NOANSWER", leftover=True)
        call.timers.append(self._engine.after(CUSTOMER_RINGS_FOR, in_vain))
        for hear in self._switch.on_dial:
            hear(call)

    def customer_answers(self, call: Call) -> None:
        if call.ended or call.answered is not None:
            return
        call.cancel_timers()
        call.answered = self._engine.now
        self._switch.say_init(call, "ANSWER", "DialEnd")
        self._switch.connected(call, self._switch.agents[call.agent])

    def fail(self, call: Call, status: str, *, leftover: bool = False) -> None:
        """Nobody was reached. `leftover`: the exchange writes a second, empty record as it does."""
        if call.ended or call.answered is not None:
            return
        with self._switch.wire.mixed():
            self._switch.records.note(call, status, Segment(call.agent, call.started))
            if leftover:
                self._switch.records.note(call, status, Segment(call.agent, self._engine.now))
            self._switch.say_hangup(call)
            self._switch.close(call)

    # -- click-to-call -------------------------------------------------------------------------

    def click(self, agent: Agent, phone: str) -> Call:
        """First the agent's phone rings, of which only its status tells; then the customer's."""
        call = self._switch.new_call("Outbound", phone, COMPANY_NUMBER)
        call.announced = False
        self._switch.ring(call, [agent], "click")
        unheard = partial(self._drop_unheard, call)
        call.timers.append(self._engine.after(CLICK_RINGS_FOR, unheard))
        return call

    def click_answered(self, agent: Agent, call: Call) -> None:
        call.cancel_timers()
        call.announced = True
        self._switch.pick_up(call, agent)
        self._switch.report(agent)
        self._customer_rings(agent, call)

    def _drop_unheard(self, call: Call) -> None:
        self._switch.close(call)

    # -- straight to an extension --------------------------------------------------------------

    def direct(self, agent: Agent, phone: str, did: str) -> Call:
        call = self._switch.new_call("Inbound", phone, did)
        busy = agent.talks
        if busy:
            self._switch.say_call_in(call, agent.extension, "RING", "DialBegin")
            call.timers.append(self._engine.after(1.0, partial(self.direct_fails, call, agent)))
        else:
            self._switch.ring(call, [agent], "direct")
            in_vain = partial(self.direct_fails, call, agent)
            call.timers.append(self._engine.after(DIRECT_RINGS_FOR, in_vain))
        return call

    def direct_answered(self, agent: Agent, call: Call) -> None:
        call.cancel_timers()
        self._switch.pick_up(call, agent)
        self._switch.announce_answer(call, agent, "DialEnd")
        self._switch.connected(call, agent)

    def direct_fails(self, call: Call, agent: Agent) -> None:
        status = "NOANSWER" if call.legs else "BUSY"
        with self._switch.wire.mixed():
            self._switch.records.note(call, status, Segment(agent.extension, call.started))
            self._switch.say_hangup(call)
            self._switch.close(call)
