"""Calls as people may see them: one value per row of a page or a file, numbers already masked."""

from dataclasses import dataclass

from app.history.search import CallRow
from app.web.history.looking import Looker
from app.web.history.sheets import Row

COLUMNS = (
    "first_seen", "direction", "outcome", "phone", "queues", "agent", "agent_name", "answered_at",
    "ended_at", "wait_s", "wait_exact", "talk_s", "callid", "inferred", "lost",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ShownCall:
    """One call. Times in ms, spans in seconds; `path` is its page; `phone` is masked if need be."""

    path: str
    callid: str
    at: int
    direction: str
    outcome: str
    phone: str
    did: str
    queues: tuple[str, ...]
    agent: str
    agent_name: str
    answered_at: int | None
    ended_at: int | None
    wait_s: float | None
    exact: bool
    talk_s: float | None
    inferred: bool
    lost: bool


def shown_call(looker: Looker, call: CallRow) -> ShownCall:
    """The call for this person. Queues that are not theirs are left out."""
    queues = tuple(
        looker.queue_name(each) for each in call.queues if looker.person.sees_queue(each)
    )
    return ShownCall(
        path=f"/calls/{looker.reference(call)}",
        callid="" if looker.masked else call.callid,
        at=call.first_seen,
        direction=call.direction,
        outcome=call.outcome,
        phone=looker.number(call.phone),
        did=looker.told("did", call.did),
        queues=queues,
        agent=call.agent,
        agent_name=looker.agent_name(call.agent),
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        wait_s=None if call.wait_ms is None else call.wait_ms / 1000,
        exact=call.exact,
        talk_s=None if call.talk_ms is None else call.talk_ms / 1000,
        inferred=call.inferred,
        lost=call.lost,
    )


def call_cells(looker: Looker, call: CallRow) -> Row:
    """The same as a row of COLUMNS."""
    shown = shown_call(looker, call)
    return (
        looker.local(shown.at), shown.direction, shown.outcome, shown.phone,
        ", ".join(shown.queues), shown.agent, shown.agent_name, looker.local(shown.answered_at),
        looker.local(shown.ended_at), shown.wait_s, shown.exact, shown.talk_s, shown.callid,
        shown.inferred, shown.lost,
    )  # fmt: skip
