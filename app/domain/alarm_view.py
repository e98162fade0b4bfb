"""Alarms as readers see them: one frozen value per standing alarm, with whose it is."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.metrics import METRICS, SECOND
from app.domain.model import Agent, FloorState
from app.domain.rules import Alarm, AlarmRule, Level


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """One alarm that stands. Times in ms; `since` is when it began what a unit of s counts.

    `name` is the subject's for people. `queues` None: it concerns everybody; else whoever sees one
    of them, and an empty set only those who see all. `shelved_until` None: it is not shelved.
    """

    key: str
    level: Level
    metric: str
    kind: str
    unit: str
    above: bool
    subject: str
    name: str
    queues: frozenset[str] | None
    value: float | None
    since: int | None
    limit: float | None
    raised_at: int
    spoken_at: int
    acknowledged_at: int | None
    acknowledged_by: str
    shelved_until: int | None
    shelved_by: str

    @property
    def is_quiet(self) -> bool:
        """Somebody has seen it, or silenced it for a while."""
        return self.acknowledged_at is not None or self.shelved_until is not None


def alarm_rows(state: FloorState) -> list[AlarmRow]:
    """The alarms that stand: those that call for attention first, the worst of them on top."""
    rows = [
        _row(state, alarm, state.alarm_rules[alarm.rule])
        for alarm in state.alarms.values()
        if alarm.level is not Level.NONE and alarm.rule in state.alarm_rules
    ]
    return sorted(rows, key=lambda row: (row.is_quiet, -row.level, row.raised_at, row.key))


def _row(state: FloorState, alarm: Alarm, rule: AlarmRule) -> AlarmRow:
    metric = METRICS[alarm.metric]
    shelf = state.alarm_shelves.get(alarm.key)
    counts_up = metric.unit == "s" and alarm.value is not None
    raised_at = alarm.raised_at or alarm.judged_at
    return AlarmRow(
        key=alarm.key,
        level=alarm.level,
        metric=alarm.metric,
        kind=metric.subjects,
        unit=metric.unit,
        above=metric.above,
        subject=alarm.subject,
        name=subject_name(state, alarm.metric, alarm.subject),
        queues=queues_of(state, alarm.metric, alarm.subject),
        value=alarm.value,
        since=alarm.judged_at - round((alarm.value or 0) * SECOND) if counts_up else None,
        limit=rule.limit(alarm.level),
        raised_at=raised_at,
        spoken_at=alarm.spoken_at or raised_at,
        acknowledged_at=alarm.acknowledged_at,
        acknowledged_by=alarm.acknowledged_by,
        shelved_until=shelf.until if shelf else None,
        shelved_by=shelf.by if shelf else "",
    )


def subject_name(state: FloorState, metric: str, subject: str) -> str:
    """What people call the queue, team or agent; empty for the floor."""
    kind = METRICS[metric].subjects if metric in METRICS else ""
    if kind == "queues" and subject in state.queues:
        return state.queues[subject].name or subject
    if kind == "agents" and subject in state.agents:
        return f"{state.agents[subject].name} {subject}".strip()
    return subject


def queues_of(state: FloorState, metric: str, subject: str) -> frozenset[str] | None:
    """The queues that an alarm is about; None for the floor, which is everybody's."""
    kind = METRICS[metric].subjects if metric in METRICS else ""
    if kind == "queues":
        return frozenset({subject})
    if kind == "agents":
        agent = state.agents.get(subject)
        return _served_by([agent] if agent else [])
    if kind == "teams":
        return _served_by(agent for agent in state.agents.values() if agent.team == subject)
    return None


def _served_by(agents: Iterable[Agent]) -> frozenset[str]:
    return frozenset(queue for agent in agents for queue in agent.queues)


def is_about(state: FloorState, metric: str, subject: str, scope: str) -> bool:
    """The alarm is about this queue or team, or an agent of it; an empty scope is everything."""
    if scope in {"", subject}:
        return True
    agent = state.agents.get(subject)
    if agent is not None and agent.team == scope:
        return True
    return scope in (queues_of(state, metric, subject) or ())
