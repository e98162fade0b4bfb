"""Who looks at the past: the queues they may see, the numbers they may read, names of things."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime

from starlette.requests import HTTPConnection, Request

from app.audience import Audience
from app.domain.days import BusinessDay
from app.domain.model import Queue
from app.history.search import CallRow
from app.masking import masked
from app.render import hashed_id
from app.rights import Principal
from app.web.board import audience_of
from app.web.forms import FormProblem
from app.web.guard import require_person
from app.web.parts import Parts, parts_of

# How long a page waits for the newest events to be in the tables.
LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class Looker:
    """One request's person, and what of the past is theirs."""

    person: Principal
    parts: Parts
    audience: Audience

    @property
    def days(self) -> BusinessDay:
        return self.parts.history.days

    @property
    def today(self) -> date:
        return self.days.of(self.parts.clock())

    @property
    def masked(self) -> bool:
        """Callers' numbers must not reach this person, in no form."""
        return self.audience.masked

    @property
    def queues(self) -> dict[str, Queue]:
        """The queues within scope, by id."""
        known = self.parts.floor.state.queues
        return {name: queue for name, queue in known.items() if self.person.sees_queue(name)}

    @property
    def choices(self) -> list[tuple[str, str]]:
        """(id, name) of the queues within scope, by name."""
        named = ((queue, self.queue_name(queue)) for queue in self.queues if queue)
        return sorted(named, key=lambda choice: choice[1].casefold())

    def queue_name(self, queue: str) -> str:
        """What people call it; a queue out of scope has no name here."""
        return self.parts.floor.queue_name(queue) if self.person.sees_queue(queue) else ""

    def agent_name(self, extension: str) -> str:
        """The agent's name, "" where none is known."""
        agent = self.parts.floor.state.agents.get(extension)
        return agent.name if agent else ""

    def sees_agent(self, extension: str) -> bool:
        """Agents of one of their queues; who is no longer on the floor, only for all queues."""
        agent = self.parts.floor.state.agents.get(extension)
        return self.person.sees_any(agent.queues if agent else ())

    def sees_call(self, call: CallRow) -> bool:
        return self.person.sees_any(call.queues)

    def number(self, phone: str) -> str:
        """A caller's number as this person may see it."""
        return self.audience.number(phone)

    def local(self, at: int | None) -> datetime | None:
        """A moment (ms) as the call centre's clocks showed it."""
        return None if at is None else datetime.fromtimestamp(at / 1000, self.days.zone)

    def told(self, name: str, value: object) -> str:
        """An event's field as this person may see it."""
        text = value if isinstance(value, str) else str(value)
        return masked(name, text) if self.masked else text

    def reference(self, call: CallRow) -> str:
        """What names the call in an address: its id, unless that could hold a number."""
        return call.callid if not self.masked else digest_reference(call)


def digest_reference(call: CallRow) -> str:
    """Names a call without its id; "~" is in no id."""
    return f"~{call.first_seen}~{hashed_id(call.callid, 'c')[2:]}"


def looker_of(connection: HTTPConnection) -> Looker:
    """Raises SignInNeeded."""
    person = require_person(connection)
    return Looker(person, parts_of(connection), audience_of(connection, person))


def day_asked(request: Request, looker: Looker, name: str = "date") -> date:
    """The business day that the address names, else today. Raises FormProblem."""
    text = request.query_params.get(name, "")
    if not text:
        return looker.today
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise FormProblem("A date is expected like 2026-11-22.") from None
    if not 2000 <= day.year <= 2999:
        raise FormProblem("That date is not within the years of this board.")
    return day


def queue_asked(request: Request, looker: Looker) -> str:
    """The queue that the address names, "" for all. Raises FormProblem for one out of scope."""
    queue = request.query_params.get("queue", "")[:64]
    if queue and not looker.person.sees_queue(queue):
        raise FormProblem("This is outside the queues of your account.", 403)
    return queue


async def caught_up(looker: Looker, patience_s: float = LOOK_S) -> None:
    """Let the tables hold what the log holds; a history that is far behind is not waited for."""
    with suppress(TimeoutError):
        async with asyncio.timeout(patience_s):
            await looker.parts.history.wait_for(looker.parts.log.last_seq)
