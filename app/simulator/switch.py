"""The switch: phones ring, talk and are free again; calls begin and end; everything is announced.

Rule: every change of a phone or a leg goes through here, so that no change stays unsaid.
"""

import random
import uuid
from collections.abc import Callable
from datetime import tzinfo
from typing import Literal

from app.simulator.engine import Engine
from app.simulator.model import Agent, Call, Leg, Queue, Role, Segment
from app.simulator.records import Records
from app.simulator.wire import CALL_IN, CHANGE_STATUS, HANGUP, INIT, Wire

ANNOUNCED_ROLES = ("queue", "direct", "transfer")


class Switch:
    def __init__(self, start: float, seed: int, zone: tzinfo | None = None) -> None:
        self.engine = Engine(start)
        self.chance = random.Random(f"{seed} switch")
        self.wire = Wire(self.engine, random.Random(f"{seed} wire"))
        self.records = Records(self.engine, self.wire, zone)
        self.agents: dict[str, Agent] = {}
        self.queues: dict[str, Queue] = {}
        self.calls: dict[str, Call] = {}
        # Those who live off the news: the queues, the people, the listeners.
        self.on_ring: list[Callable[[Agent, Call], None]] = []
        self.on_connect: list[Callable[[Agent, Call], None]] = []
        self.on_release: list[Callable[[Agent, Call, Leg], None]] = []
        self.on_dial: list[Callable[[Call], None]] = []
        self.on_end: list[Callable[[Call], None]] = []
        self.on_change: list[Callable[[Agent], None]] = []

    # -- words ---------------------------------------------------------------------------------

    def report(self, agent: Agent, source: str = "DeviceStateChange") -> None:
        """Push the phone's status if it is not the one last pushed."""
        word = agent.status()
        if word != agent.word:
            agent.word = word
            params = {"extension": agent.extension, "status": word}
            self.wire.say(CHANGE_STATUS, params, source)
        for hear in self.on_change:
            hear(agent)

    def say_call_in(self, call: Call, extension: str, event: str, source: str) -> None:
        params = {"phone": call.phone, "callid": call.callid, "event": event, "did": call.did}
        if extension:
            params["extension"] = extension
        leg = call.legs.get(extension)
        if call.queue and (leg is None or leg.role == "queue"):
            params["queue"] = call.queue
        self.wire.say(CALL_IN, params, source)

    def say_init(self, call: Call, event: str, source: str) -> None:
        params = {"extension": call.agent, "phone": call.phone, "callid": call.callid}
        self.wire.say(INIT, params | {"event": event}, source)

    def say_hangup(self, call: Call) -> None:
        self.wire.say(HANGUP, {"callid": call.callid}, "Hangup")

    def announce_answer(self, call: Call, agent: Agent, source: str) -> None:
        # The phone's status mostly overtakes the answer, but not always.
        if self.chance.random() < 0.75:
            self.report(agent)
            self.say_call_in(call, agent.extension, "ANSWER", source)
        else:
            self.say_call_in(call, agent.extension, "ANSWER", source)
            self.report(agent)

    # -- calls and phones ----------------------------------------------------------------------

    def new_call(self, direction: Literal["Inbound", "Outbound"], phone: str, did: str) -> Call:
        callid = str(uuid.UUID(int=self.chance.getrandbits(128), version=4))
        call = Call(callid, direction, phone, did, self.engine.now)
        self.calls[callid] = call
        return call

    def add_leg(self, call: Call, agent: Agent, role: Role, *, talks: bool = False) -> Leg:
        now = self.engine.now
        leg = Leg(agent.extension, role, now, now if talks else None)
        call.legs[agent.extension] = agent.legs[call.callid] = leg
        return leg

    def ring(self, call: Call, agents: list[Agent], role: Role) -> None:
        """The phones ring: first the call is announced at each, then each phone's own status."""
        for agent in agents:
            self.add_leg(call, agent, role)
            if role in ANNOUNCED_ROLES:
                source = "AgentCalled" if role == "queue" else "DialBegin"
                self.say_call_in(call, agent.extension, "RING", source)
        with self.wire.mixed():
            for agent in agents:
                self.report(agent)
        for agent in agents:
            for hear in self.on_ring:
                hear(agent, call)

    def pick_up(self, call: Call, agent: Agent) -> None:
        """The phone that rang talks from now on."""
        now, leg = self.engine.now, call.legs[agent.extension]
        leg.talked_from = now
        call.segments.append(Segment(agent.extension, now))
        call.agent = call.agent or agent.extension
        agent.answered += leg.role == "queue"
        agent.direct += leg.role in ("direct", "transfer")
        if call.answered is None and leg.role != "click":
            call.answered = now

    def connected(self, call: Call, agent: Agent) -> None:
        for hear in self.on_connect:
            hear(agent, call)

    def release(self, call: Call, extension: str) -> None:
        """The phone has no part in the call any more."""
        leg, agent = call.legs.pop(extension), self.agents[extension]
        del agent.legs[call.callid]
        self._book_talk(call, agent, leg)
        self.report(agent)
        for hear in self.on_release:
            hear(agent, call, leg)

    def _book_talk(self, call: Call, agent: Agent, leg: Leg) -> None:
        now = self.engine.now
        if leg.talked_from is None or call.answered is None:
            return
        talk = now - max(leg.talked_from, call.answered)
        agent.talk += talk
        if leg.role == "queue":
            self.queues[call.queue].tally.talk += talk
        for segment in call.segments:
            if segment.extension == agent.extension and segment.end is None:
                segment.end = now

    def hang_up(self, call: Call) -> None:
        """An answered call ends: hangup, records and the phones' status, in any order."""
        if call.ended:
            return
        with self.wire.mixed():
            self.say_hangup(call)
            self.records.note_talk(call)
            self.close(call)

    def close(self, call: Call) -> None:
        """Free all phones and forget the call; to be used inside `wire.mixed()`."""
        call.ended = True
        call.cancel_timers()
        for extension in list(call.legs):
            self.release(call, extension)
        del self.calls[call.callid]
        for hear in self.on_end:
            hear(call)
