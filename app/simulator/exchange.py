"""The exchange as people and programs use it: log in, pause, answer, dial, transfer, listen.

Pure and synchronous: `run_until` moves the virtual clock and returns what was pushed meanwhile.
"""

from collections.abc import Callable
from datetime import tzinfo

from app.simulator.dialling import Dialling
from app.simulator.distribution import Distribution
from app.simulator.listening import MODES, Listeners
from app.simulator.model import Agent, Call, Pauser, Queue
from app.simulator.switch import Switch
from app.simulator.transfers import Transfers
from app.simulator.wire import Webhook


class Refused(Exception):
    """The PBX will not do it; the text says why, in its own terse words."""


class Exchange:
    def __init__(
        self,
        start: float = 0.0,
        seed: int = 1,
        zone: tzinfo | None = None,
        *,
        announce_waiting: bool = False,
    ) -> None:
        self.switch = Switch(start, seed, zone)
        self.engine = self.switch.engine
        self.queueing = Distribution(self.switch, announce_waiting=announce_waiting)
        self.dialling = Dialling(self.switch)
        self.transfers = Transfers(self.switch)
        self.listeners = Listeners(self.switch)
        self._pick_up: dict[str, Callable[[Agent, Call], None]] = {
            "queue": self.queueing.answer,
            "direct": self.dialling.direct_answered,
            "click": self.dialling.click_answered,
            "transfer": self.transfers.blind_answered,
            "consult": self.transfers.consult_answered,
        }

    def run_until(self, when: float) -> list[Webhook]:
        self.engine.run_until(when)
        return self.switch.wire.take()

    # -- set-up --------------------------------------------------------------------------------

    def add_agent(self, agent: Agent) -> Agent:
        self.switch.agents[agent.extension] = agent
        for number in agent.queues:
            self.switch.queues[number].members.append(agent.extension)
        return agent

    def add_queue(self, queue: Queue) -> Queue:
        self.switch.queues[queue.number] = queue
        return queue

    # -- an agent's keys -----------------------------------------------------------------------

    def log_in(self, agent: Agent) -> None:
        agent.logged_in, agent.paused, agent.paused_by = True, False, ""
        self.switch.report(agent, "QueueMemberAdded")

    def log_out(self, agent: Agent) -> None:
        """A call that goes on is not disturbed."""
        agent.logged_in, agent.paused, agent.paused_by = False, False, ""
        self.switch.report(agent, "QueueMemberRemoved")

    def set_paused(self, agent: Agent, paused: bool, by: Pauser = "agent") -> None:
        """During a call nothing is pushed: the status shows it when the call ends."""
        if not agent.logged_in:
            raise Refused("Interface not found")
        agent.paused, agent.paused_by = paused, by if paused else ""
        self.switch.report(agent, "QueueMemberPause")

    def set_registered(self, agent: Agent, registered: bool) -> None:
        agent.registered = registered
        self.switch.report(agent)

    def answer(self, agent: Agent, call: Call) -> bool:
        """False where the phone does not ring for this call any more, or talks already."""
        leg = agent.legs.get(call.callid)
        if leg is None or leg.talks or agent.talks:
            return False
        self._pick_up[leg.role](agent, call)
        return True

    def decline(self, agent: Agent, call: Call) -> None:
        leg = agent.legs.get(call.callid)
        if leg is not None and not leg.talks and leg.role == "queue":
            self.queueing.decline(agent, call)

    def hang_up(self, call: Call) -> None:
        self.switch.hang_up(call)

    def put_down(self, extension: str) -> int:
        """Hang up the calls in which that phone is off the hook; how many."""
        agent = self.switch.agents.get(extension)
        legs = dict(agent.legs) if agent is not None else {}
        calls = [self.switch.calls.get(callid) for callid, leg in legs.items() if leg.talks]
        known = [call for call in calls if call is not None]
        for call in known:
            if call.answered is None:
                self.dialling.fail(call, "NOANSWER")
            else:
                self.switch.hang_up(call)
        return len(known)

    def dial(self, agent: Agent, phone: str) -> Call:
        if agent.talks:
            raise Refused("Extension is busy")
        return self.dialling.outbound(agent, phone)

    # -- callers -------------------------------------------------------------------------------

    def arrive(self, number: str, phone: str) -> Call:
        """A caller dials a queue's number and waits there."""
        queue = self.switch.queues[number]
        call = self.switch.new_call("Inbound", phone, queue.did)
        self.queueing.enter(call, number)
        return call

    def abandon(self, call: Call) -> None:
        self.queueing.abandon(call)

    # -- supervisors ---------------------------------------------------------------------------

    def agent(self, extension: str) -> Agent:
        agent = self.switch.agents.get(extension)
        if agent is None:
            raise Refused(f"Extension {extension[:20]} not found")
        return agent

    def click_to_call(self, extension: str, phone: str) -> Call:
        agent = self.agent(extension)
        if agent.talks or not agent.registered:
            raise Refused("Extension is busy or not registered")
        return self.dialling.click(agent, phone)

    def listen(self, src: str, dst: str, mode: str) -> None:
        if mode not in MODES:
            raise Refused("Unknown mode")
        if self.listeners.start(self.agent(src), self.agent(dst), mode) is None:
            raise Refused("Extension is not in a call, or the listener is busy")
