"""The administrator's connection test: what can be tried without ringing anybody."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from app.domain.events import CallRecorded
from app.pbx import Finding, Member, PbxError, PhoneState
from app.sentences import Sentence, joined, wording

T = TypeVar("T")

PHONES_TRIED = 3
NOT_REACHED = frozenset({"unreachable", "timeout", "redirect", "unconfigured"})


async def check_up(
    members: Callable[[], Awaitable[list[Member]]],
    phones: Callable[[Sequence[str]], Awaitable[list[PhoneState]]],
    todays_records: Callable[[], Awaitable[list[CallRecorded]]],
) -> list[Finding]:
    """One row for each of reach, key, all_members, status and cdr. Raises nothing of the PBX's."""
    listed, records = await asyncio.gather(_outcome(members()), _outcome(todays_records()))
    states: list[PhoneState] | PbxError | None = None
    if isinstance(listed, list) and listed:
        tried = list(dict.fromkeys(member.extension for member in listed))[:PHONES_TRIED]
        states = await _outcome(phones(tried))
    return [
        _reach(listed),
        _key(listed),
        _members(listed),
        _phones(states),
        _records(records),
    ]


async def _outcome(question: Awaitable[T]) -> T | PbxError:
    try:
        return await question
    except PbxError as error:
        return error


def _reach(listed: list[Member] | PbxError) -> Finding:
    if isinstance(listed, PbxError) and listed.kind in NOT_REACHED:
        return Finding("reach", False, wording(listed))
    return Finding("reach", True, "The PBX answers.")


def _key(listed: list[Member] | PbxError) -> Finding:
    if not isinstance(listed, PbxError):
        return Finding("key", True, "The PBX accepts the key.")
    if listed.kind in NOT_REACHED:
        return Finding("key", False, "Not tried, because the PBX was not reached.")
    why = Sentence("Nothing shows that the PBX accepts the key.")
    return Finding("key", False, joined(" ", [why, wording(listed)]))


def _members(listed: list[Member] | PbxError) -> Finding:
    if isinstance(listed, PbxError):
        return Finding("all_members", False, wording(listed))
    queues = {queue for member in listed for queue in member.queues}
    seen = Sentence("Agents: {agents}. Queues: {queues}.", agents=len(listed), queues=len(queues))
    return Finding("all_members", True, seen)


def _phones(states: list[PhoneState] | PbxError | None) -> Finding:
    if states is None:
        return Finding("status", False, "Not tried, because the PBX named no agent to ask about.")
    if isinstance(states, PbxError):
        return Finding("status", False, wording(states))
    understood = [state for state in states if state.status is not None]
    sentence = Sentence("Phones with a state that is understood: {number}.", number=len(understood))
    return Finding("status", bool(understood), sentence)


def _records(records: list[CallRecorded] | PbxError) -> Finding:
    if isinstance(records, PbxError):
        return Finding("cdr", False, wording(records))
    seen = Sentence("Records of today's calls: {number}.", number=len(records))
    return Finding("cdr", True, seen)
