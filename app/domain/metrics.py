"""What alarms can watch: one row per figure, and how it is read off the floor at one moment."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from app.domain.board import by_status, waiting_rows
from app.domain.figures import queue_figures
from app.domain.model import Agent, FloorState
from app.domain.rules import AlarmRule
from app.domain.states import Status
from app.domain.view import Figures

SECOND = 1000
FLOOR = ""


class Glance:
    """The floor at `now`: what several rules ask for is worked out once."""

    def __init__(self, state: FloorState, now: int) -> None:
        self.state = state
        self.now = now
        self._figures: dict[str, Figures] = {}

    @cached_property
    def waits(self) -> dict[str, list[int]]:
        """{queue: since when its callers wait}."""
        waits: dict[str, list[int]] = defaultdict(list)
        for row in waiting_rows(self.state):
            waits[row.queue].append(row.since)
        return waits

    @cached_property
    def teams(self) -> dict[str, list[Agent]]:
        """{team: its agents}; who has no team is in none."""
        teams: dict[str, list[Agent]] = defaultdict(list)
        for agent in self.state.agents.values():
            if agent.team:
                teams[agent.team].append(agent)
        return teams

    @cached_property
    def free(self) -> Counter[str]:
        """{queue: how many of its agents are free}; a queue without agents is not in it."""
        free: Counter[str] = Counter()
        for agent in self.state.agents.values():
            for queue in agent.queues:
                free[queue] += agent.status is Status.ON
        return free

    def figures(self, queue: str) -> Figures:
        """A queue's figures of today."""
        if queue not in self._figures:
            self._figures[queue] = queue_figures(self.state.queues[queue])
        return self._figures[queue]

    def subjects(self, metric: "Metric", scope: str, standing: set[str]) -> Iterator[str]:
        """Whom a rule with that scope watches: queue ids, teams, extensions, or the floor.

        Of agents only those of whom there is something to say, and those with `standing` alarms.
        """
        kind, status = metric.subjects, metric.status
        if kind == "floor":
            yield FLOOR
        elif kind == "queues":
            yield from (queue for queue in self.state.queues if queue and scope in {"", queue})
        elif kind == "teams":
            yield from (team for team in self.teams if scope in {"", team})
        else:
            for extension, one in self.state.agents.items():
                if (one.status is status or extension in standing) and scope in {"", one.team}:
                    yield extension


Reader = Callable[[Glance, str, AlarmRule], float | None]


@dataclass(frozen=True, slots=True)
class Metric:
    """How one figure is read; None is "nothing to say". `above`: it is bad above its limits.

    `unit` is s, %, or empty for a count. Seconds are the age of something that goes on.
    A figure of an agent says something of those in `status`, and of nobody else.
    """

    subjects: str
    above: bool
    unit: str
    read: Reader = field(repr=False)
    status: Status | None = None


def _waiting(glance: Glance, queue: str, rule: AlarmRule) -> float:
    return len(glance.waits.get(queue, ()))


def _longest_wait(glance: Glance, queue: str, rule: AlarmRule) -> float | None:
    waits = glance.waits.get(queue)
    return (glance.now - min(waits)) / SECOND if waits else None


def _service_level(glance: Glance, queue: str, rule: AlarmRule) -> float | None:
    figures = glance.figures(queue)
    return _percent(figures.service_level, figures, rule)


def _abandon_rate(glance: Glance, queue: str, rule: AlarmRule) -> float | None:
    figures = glance.figures(queue)
    return _percent(figures.abandon_rate, figures, rule)


def _percent(share: float | None, figures: Figures, rule: AlarmRule) -> float | None:
    return None if share is None or figures.offered < rule.least else share * 100


def _free_agents(glance: Glance, queue: str, rule: AlarmRule) -> float | None:
    return glance.free.get(queue)


def _in_team(status: Status) -> Reader:
    def read(glance: Glance, team: str, rule: AlarmRule) -> float:
        return by_status(glance.teams[team])[status]

    return read


def _lasting(status: Status) -> Reader:
    def read(glance: Glance, extension: str, rule: AlarmRule) -> float | None:
        agent = glance.state.agents[extension]
        return (glance.now - agent.since) / SECOND if agent.status is status else None

    return read


def _lasts(status: Status) -> Metric:
    return Metric("agents", True, "s", _lasting(status), status)


def _overrun(glance: Glance, extension: str, rule: AlarmRule) -> float | None:
    agent = glance.state.agents[extension]
    if agent.status is not Status.PAUSE or agent.pause_until is None:
        return None
    return max(0, glance.now - agent.pause_until) / SECOND


def _silence(glance: Glance, subject: str, rule: AlarmRule) -> float | None:
    last = glance.state.webhooks.last_at
    return None if last is None else (glance.now - last) / SECOND


def _repairs(glance: Glance, subject: str, rule: AlarmRule) -> float:
    return glance.state.reconciled.repairs_today


# A new metric is one row, and its words in templates/_alarm_words.html.
METRICS: dict[str, Metric] = {
    "waiting": Metric("queues", True, "", _waiting),
    "longest_wait": Metric("queues", True, "s", _longest_wait),
    "service_level": Metric("queues", False, "%", _service_level),
    "abandon_rate": Metric("queues", True, "%", _abandon_rate),
    "free_agents": Metric("queues", False, "", _free_agents),
    "free_in_team": Metric("teams", False, "", _in_team(Status.ON)),
    "paused_in_team": Metric("teams", True, "", _in_team(Status.PAUSE)),
    "ringing": _lasts(Status.RING),
    "talking": _lasts(Status.TALK),
    "paused": _lasts(Status.PAUSE),
    "pause_overrun": Metric("agents", True, "s", _overrun, Status.PAUSE),
    "no_webhook": Metric("floor", True, "s", _silence),
    "repairs": Metric("floor", True, "", _repairs),
}
