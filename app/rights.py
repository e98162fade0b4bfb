"""Who may do what: roles, rights, and the one who asks. Values and pure rules only."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from app.sentences import Sentence


class Role(StrEnum):
    """What somebody is. A wall is a screen, never a person."""

    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    VIEWER = "viewer"
    WALL = "wall"


class Right(StrEnum):
    """One thing that somebody may do. `customer`: speak to the caller, unheard by the agent."""

    LISTEN = "listen"
    WHISPER = "whisper"
    BARGE = "barge"
    CUSTOMER = "customer"
    PAUSE = "pause"
    CALL = "call"
    SEE_NUMBERS = "see_numbers"
    ADMINISTER = "administer"
    READ_AUDIT = "read_audit"


RIGHT_WORDS = {
    Right.LISTEN: Sentence("listen"),
    Right.WHISPER: Sentence("whisper"),
    Right.BARGE: Sentence("barge in"),
    Right.CUSTOMER: Sentence("speak to the customer"),
    Right.PAUSE: Sentence("pause"),
    Right.CALL: Sentence("call"),
    Right.SEE_NUMBERS: Sentence("see numbers"),
    Right.ADMINISTER: Sentence("administer"),
    Right.READ_AUDIT: Sentence("read the audit"),
}
OWN_TELEPHONE = Sentence("That is your own telephone.")
OUTSIDE = Sentence("This is outside the queues of your account.")

SPYING = frozenset({Right.LISTEN, Right.WHISPER, Right.BARGE, Right.CUSTOMER})
ACTING = SPYING | {Right.PAUSE, Right.CALL}

BY_DEFAULT: dict[Role, frozenset[Right]] = {
    Role.ADMIN: frozenset(Right),
    Role.SUPERVISOR: ACTING | {Right.SEE_NUMBERS},
    Role.VIEWER: frozenset(),
    Role.WALL: frozenset(),
}


def effective(role: Role, chosen: Iterable[Right] | None) -> frozenset[Right]:
    """The rights of an account: its role's, or those `chosen` for it.

    Administration belongs to the role alone, so that "the last administrator" can be counted;
    a wall has no rights whatever is chosen.
    """
    if role is Role.WALL:
        return frozenset()
    rights = BY_DEFAULT[role] if chosen is None else frozenset(chosen)
    only_admin = frozenset({Right.ADMINISTER})
    return rights | only_admin if role is Role.ADMIN else rights - only_admin


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking, as of this moment. Keep it for one request or one frame, never for longer.

    `queues` None means every queue. `session` names the session (or the wall) for
    `wait_ended`; it is a digest and opens nothing. `layout`, `masking`, `theme` are a wall's.
    """

    user_id: int
    name: str
    role: Role
    queues: frozenset[str] | None
    rights: frozenset[Right]
    extension: str = ""
    language: str = ""
    session: str = ""
    layout: str = ""
    masking: str = ""
    theme: str = ""

    def may(self, right: Right) -> bool:
        return right in self.rights

    def sees_queue(self, queue: str) -> bool:
        return self.queues is None or queue in self.queues

    def sees_any(self, queues: Iterable[str]) -> bool:
        """Whether an agent of these queues is in scope; one of no queue, for all queues only."""
        return self.queues is None or not self.queues.isdisjoint(queues)


@dataclass(frozen=True, slots=True)
class Target:
    """What an action is aimed at. `queues` are the agent's; `queue` and `callid` are the call's."""

    extension: str = ""
    agent_name: str = ""
    queues: tuple[str, ...] | None = None
    never_listen: bool = False
    callid: str = ""
    queue: str = ""
    direction: str = ""
    phone: str = ""


def refusal(principal: Principal, right: Right, target: Target | None = None) -> str:
    """Why this is not allowed, in words for the person who asks; "" when it is."""
    if not principal.may(right):
        return Sentence("Your account does not have the right “{right}”.", right=RIGHT_WORDS[right])
    if target is None:
        return ""
    if right in SPYING and target.never_listen:
        return Sentence("This agent is marked “never listen”: nobody may listen in.")
    if right in SPYING and target.extension and target.extension == principal.extension:
        return OWN_TELEPHONE
    return "" if _in_scope(principal, target) else OUTSIDE


def _in_scope(principal: Principal, target: Target) -> bool:
    if target.queue and not principal.sees_queue(target.queue):
        return False
    if target.queues is not None:
        return principal.sees_any(target.queues)
    return True
