"""What the PBX calls its agents and queues, taken over where nobody has named them yet. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from app.domain.events import AgentNamed, Event, QueueNamed
from app.domain.model import Agent, FloorState, Queue
from app.pbx import Member

# A name that so many phones have is a queue's or a company's, not a person's.
SHARED = 3
MOST_QUEUES = 500


def new_names(members: Sequence[Member], state: FloorState) -> list[Event]:
    """Names of those on the floor who have none; teams, marks and limits stay as they are."""
    return [*_agents(members, state), *_queues(members, state)]


def _agents(members: Sequence[Member], state: FloorState) -> Iterator[Event]:
    bearers = Counter(member.name for member in members)
    nobody = {name for name, count in bearers.items() if count >= SHARED} | {""}
    for member in members:
        agent = state.agents.get(member.extension)
        if member.name not in nobody and (agent is None or not agent.name):
            yield _agent_named(member, agent)


def _agent_named(member: Member, agent: Agent | None) -> AgentNamed:
    if agent is None:
        return AgentNamed(extension=member.extension, name=member.name)
    return AgentNamed(
        extension=member.extension,
        name=member.name,
        team=agent.team,
        never_listen=agent.never_listen,
    )


def _queues(members: Sequence[Member], state: FloorState) -> Iterator[Event]:
    told: dict[str, set[str]] = {}
    for queue, name in (pair for member in members for pair in member.queue_names):
        told.setdefault(queue, set()).add(name)
    for queue, names in islice(told.items(), MOST_QUEUES):
        known = state.queues.get(queue, Queue(queue))
        if len(names) == 1 and not known.name:
            yield QueueNamed(
                queue=queue,
                name=names.pop(),
                service_level_s=known.service_level_s,
                short_abandon_s=known.short_abandon_s,
                variant=known.variant,
            )
