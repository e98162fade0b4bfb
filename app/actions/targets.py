"""What an action is aimed at, found on the floor as it is at this moment: pure, changes nothing."""

from app.domain.model import Agent, Call, FloorState
from app.domain.states import CallState, Direction, LegState
from app.rights import Target
from app.sentences import Sentence


class NoTarget(Exception):
    """There is nothing (any more) to aim at. `status` is the answer's; the text is for people."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def called(extension: str, name: str) -> str:
    """An agent in a sentence."""
    return f"{name} ({extension})" if name else Sentence("agent {extension}", extension=extension)


def called_first(extension: str, name: str) -> str:
    """An agent where the sentence begins."""
    return called(extension, name) if name else Sentence("Agent {extension}", extension=extension)


def agent_target(state: FloorState, extension: str) -> Target:
    """An agent. Raises NoTarget when the floor knows none."""
    agent = state.agents.get(extension)
    if agent is None:
        raise NoTarget(
            404, Sentence("There is no agent {extension} on the floor.", extension=extension)
        )
    return _of_agent(agent)


def _of_agent(agent: Agent) -> Target:
    return Target(
        extension=agent.extension,
        agent_name=agent.name,
        queues=tuple(agent.queues),
        never_listen=agent.never_listen,
    )


def spy_target(state: FloorState, callid: str, extension: str = "") -> Target:
    """The agent who talks in this call; `extension` says who, where several do.

    A call we do not know can't be listened to: it may be a private one, and nobody would see when
    it ended. Raises NoTarget with the reason.
    """
    call = state.calls.get(callid)
    if call is None:
        raise NoTarget(404, Sentence("That call is not on the floor, or not any more."))
    if extension and extension not in call.legs:
        raise NoTarget(
            422, Sentence("Agent {extension} has no part in that call.", extension=extension)
        )
    if call.state is CallState.ENDED:
        raise NoTarget(409, Sentence("That call is over."))
    agent = state.agents[_talker(call, extension)]
    return Target(
        extension=agent.extension,
        agent_name=agent.name,
        queues=tuple(agent.queues),
        never_listen=agent.never_listen,
        callid=callid,
        queue=call.legs[agent.extension].queue,
        direction=call.direction.value,
        phone=call.phone,
    )


def _talker(call: Call, extension: str) -> str:
    talking = [ext for ext, leg in call.legs.items() if leg.state is LegState.TALKING]
    if extension and extension not in talking:
        raise NoTarget(
            409,
            Sentence("Agent {extension} does not talk in that call any more.", extension=extension),
        )
    if not talking:
        raise NoTarget(409, Sentence("Nobody talks in that call yet."))
    if len(talking) > 1 and not extension:
        agents = ", ".join(sorted(talking))
        raise NoTarget(409, Sentence("Several agents talk in that call: {agents}.", agents=agents))
    return extension or talking[0]


def abandon_target(state: FloorState, callid: str) -> Target:
    """The caller who gave up in this call. Raises NoTarget."""
    rows = [row for row in state.abandons if row.callid == callid]
    if not rows:
        raise NoTarget(404, Sentence("That caller is not in the list of those who gave up."))
    row = rows[-1]
    if not row.phone:
        raise NoTarget(409, Sentence("The PBX did not tell this caller's number."))
    return Target(callid=callid, queue=row.queue, phone=row.phone)


def direction_of(target: Target) -> Direction | None:
    """Who called whom, as the PBX client wants it."""
    return Direction(target.direction) if target.direction else None
