"""What people and the notifier do about alarms: rules, acknowledging, shelving, telling others."""

from dataclasses import fields

from app.domain import events
from app.domain.alarms import leave, note
from app.domain.rules import AlarmRule, Level, Shelf
from app.domain.turn import Turn

FIELDS = tuple(field.name for field in fields(AlarmRule))


def event_of(rule: AlarmRule, by: str) -> events.AlarmRuleSet:
    """The event that sets this rule."""
    return events.AlarmRuleSet(**{name: getattr(rule, name) for name in FIELDS}, by=by)


def rule_set(turn: Turn, event: events.AlarmRuleSet) -> None:
    """A new or changed rule; alarms that it raised under another metric or scope end here."""
    rule = AlarmRule(**{name: getattr(event, name) for name in FIELDS})
    before = turn.state.alarm_rules.get(rule.rule)
    if before is not None and (before.metric, before.scope) != (rule.metric, rule.scope):
        _end_all_of(turn, rule.rule)
    turn.state.alarm_rules[rule.rule] = rule
    turn.state.alarms_chosen = turn.changes.alarms = True


def rule_removed(turn: Turn, event: events.AlarmRuleRemoved) -> None:
    if turn.state.alarm_rules.pop(event.rule, None) is not None:
        _end_all_of(turn, event.rule)


def _end_all_of(turn: Turn, rule: str) -> None:
    for alarm in [alarm for alarm in turn.state.alarms.values() if alarm.rule == rule]:
        leave(turn, alarm)
        turn.state.alarm_shelves.pop(alarm.key, None)


def acknowledged(turn: Turn, event: events.AlarmAcknowledged) -> None:
    """Somebody has seen it and is on it: it is silent until it gets worse."""
    alarm = turn.state.alarms.get(event.alarm)
    if alarm is None or alarm.level is Level.NONE or alarm.acknowledged_at is not None:
        return
    alarm.acknowledged_at, alarm.acknowledged_by = turn.at, event.by
    note(turn, alarm, "acknowledged", event.by)


def shelved(turn: Turn, event: events.AlarmShelved) -> None:
    """Silent until then, and somebody answers for that. A time that is over takes it back."""
    alarm = turn.state.alarms.get(event.alarm)
    if alarm is not None and alarm.level is not Level.NONE:
        turn.state.alarm_shelves[event.alarm] = Shelf(event.until, event.by)
        note(turn, alarm, "shelved", event.by, event.until)


def sent(turn: Turn, event: events.AlarmSent) -> None:
    """A channel was told of these lines of the log, or could not be."""
    numbers = set(event.entries)
    for entry in turn.state.alarm_log:
        if entry.number in numbers:
            entry.told[event.channel] = event.error
            turn.changes.alarms = True
