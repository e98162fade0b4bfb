"""Supervisors in other people's calls: the PBX rings their phone, then connects it to the call."""

from dataclasses import dataclass
from functools import partial

from app.simulator.model import Agent, Call, Leg
from app.simulator.switch import Switch

MODES = ("whisper", "callee", "caller", "threeway")
PICK_UP_AFTER = 1.0


@dataclass(slots=True)
class Listening:
    """`mode` is the PBX's word. `connected` and `ended` are None until it happened."""

    src: str
    dst: str
    mode: str
    callid: str
    asked: float
    connected: float | None = None
    ended: float | None = None

    @property
    def leg_key(self) -> str:
        return f"listening-{self.src}-{self.asked}"


class Listeners:
    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._engine = switch.engine
        self.sessions: list[Listening] = []
        switch.on_release.append(self._agent_left)

    def current(self) -> list[Listening]:
        return [session for session in self.sessions if session.ended is None]

    def start(self, src: Agent, dst: Agent, mode: str) -> Listening | None:
        """None where `dst` talks with nobody, or `src` is busy.

        Whoever listens there already is not rung again: only the mode changes.
        """
        live = next((one for one in self.current() if one.src == src.extension), None)
        if live is not None and live.dst == dst.extension:
            live.mode = mode
            return live
        leg = next(((key, leg) for key, leg in dst.legs.items() if leg.talks), None)
        if leg is None or src.talks or leg[0] not in self._switch.calls:
            return None
        session = Listening(src.extension, dst.extension, mode, leg[0], self._engine.now)
        self.sessions.append(session)
        del self.sessions[:-1000]
        src.legs[session.leg_key] = Leg(src.extension, "click", self._engine.now)
        self._switch.report(src)
        self._engine.after(PICK_UP_AFTER, partial(self._connect, session))
        return session

    def stop(self, extension: str) -> int:
        """The listener hangs up; how many sessions that ended."""
        mine = [session for session in self.current() if session.src == extension]
        for session in mine:
            self._end(session)
        return len(mine)

    def _connect(self, session: Listening) -> None:
        if session.ended is None:
            src = self._switch.agents[session.src]
            session.connected = src.legs[session.leg_key].talked_from = self._engine.now
            self._switch.report(src)

    def _agent_left(self, agent: Agent, call: Call, leg: Leg) -> None:
        for session in self.current():
            if (session.dst, session.callid) == (agent.extension, call.callid):
                self._end(session)

    def _end(self, session: Listening) -> None:
        session.ended = self._engine.now
        src = self._switch.agents[session.src]
        del src.legs[session.leg_key]
        self._switch.report(src)
