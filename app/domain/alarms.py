"""Alarms: which rule is broken where, since when, and who has seen it. Judged on ticks only.

Each level is a latch: it turns on when the value was beyond its limit for the rule's on-delay, and
off when the value was back behind the dead band for the off-delay, so nothing on the edge
chatters. An alarm leaves when its condition has cleared; what happened stays in the alarm log.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.domain.metrics import METRICS, SECOND, Glance
from app.domain.rules import Alarm, AlarmEntry, AlarmRule, Latch, Level
from app.domain.turn import Turn

LOG_KEPT = 1000
LEVELS = (Level.CRITICAL, Level.WARNING)


def watch(turn: Turn, zone: ZoneInfo) -> None:
    """Bring every alarm up to date at `turn.at`."""
    state = turn.state
    _end_shelves(turn)
    if not (state.alarm_rules or state.alarms):
        return
    glance, judged = Glance(state, turn.at), set()
    for rule in state.alarm_rules.values():
        began = active_since(rule, turn.at, zone)
        if rule.enabled and began is not None:
            judged |= _judge_rule(turn, rule, glance, began)
    for key in [key for key in state.alarms if key not in judged]:
        leave(turn, state.alarms[key])


def active_since(rule: AlarmRule, now: int, zone: ZoneInfo) -> int | None:
    """When the rule's hours around `now` began (ms), 0 for a rule of all hours; None: outside.

    Hours that go over midnight belong to the day on which they begin.
    """
    if rule.active_from == rule.active_to and not rule.weekdays:
        return 0
    local = datetime.fromtimestamp(now / 1000, zone)
    minute = local.hour * 60 + local.minute
    over_midnight = rule.active_from > rule.active_to
    inside = (minute >= rule.active_from) + (minute < rule.active_to)
    all_day = rule.active_from == rule.active_to
    if not (all_day or inside == 2 or (over_midnight and inside)):
        return None
    late = minute < rule.active_from
    day = local.date() - timedelta(days=1) if late else local.date()
    if rule.weekdays and day.isoweekday() not in rule.weekdays:
        return None
    began = datetime(day.year, day.month, day.day, tzinfo=zone)
    began = began.replace(hour=rule.active_from // 60, minute=rule.active_from % 60)
    return round(began.timestamp() * 1000)


def _judge_rule(turn: Turn, rule: AlarmRule, glance: Glance, began: int) -> set[str]:
    """Every subject of one rule; returns the keys of its alarms."""
    metric, keys = METRICS.get(rule.metric), set()
    if metric is None:
        return set()
    standing = {one.subject for one in turn.state.alarms.values() if one.rule == rule.rule}
    for subject in glance.subjects(metric, rule.scope, standing):
        value = metric.read(glance, subject, rule)
        if value is not None and rule.metric == "no_webhook":
            # A quiet night says nothing about the morning.
            value = min(value, (turn.at - began) / SECOND)
        _judge(turn, rule, subject, value)
        keys.add(key_of(rule.rule, subject))
    return keys


def key_of(rule: str, subject: str) -> str:
    """The alarm of one rule about one subject."""
    return f"{rule}/{subject}"


def _judge(turn: Turn, rule: AlarmRule, subject: str, value: float | None) -> None:
    key = key_of(rule.rule, subject)
    alarm = turn.state.alarms.get(key)
    if alarm is None:
        if not any(is_beyond(rule, level, value, held=False) for level in LEVELS):
            return
        alarm = turn.state.alarms[key] = Alarm(key, rule.rule, rule.metric, subject)
    _read(turn, rule, alarm, value)
    for level, latch in ((Level.CRITICAL, alarm.critical), (Level.WARNING, alarm.warning)):
        _turn(latch, is_beyond(rule, level, value, held=latch.is_on), turn.at, rule)
    _speak(turn, rule, alarm)


def _read(turn: Turn, rule: AlarmRule, alarm: Alarm, value: float | None) -> None:
    """Take in the value; whoever sees the alarm must see a new one, unless it only grew older."""
    before, aged = alarm.value, (turn.at - alarm.judged_at) / SECOND
    if before is not None and METRICS[rule.metric].unit == "s":
        before = round(before + aged, 3)
    if alarm.level is not Level.NONE and value != before:
        turn.changes.alarms = True
    alarm.value, alarm.judged_at = value, turn.at


def is_beyond(rule: AlarmRule, level: Level, value: float | None, *, held: bool) -> bool:
    """The value is bad at this level; one that is `held` ends only behind its dead band."""
    limit = rule.limit(level)
    if value is None or limit is None:
        return False
    slack = rule.dead_band if held else 0.0
    return value > limit - slack if METRICS[rule.metric].above else value < limit + slack


def _turn(latch: Latch, is_bad: bool, now: int, rule: AlarmRule) -> None:
    if is_bad == latch.is_on:
        latch.turning_since = None
        return
    if latch.turning_since is None:
        latch.turning_since = now
    if now - latch.turning_since >= (rule.on_delay_s if is_bad else rule.off_delay_s) * SECOND:
        latch.is_on, latch.turning_since = is_bad, None


def _speak(turn: Turn, rule: AlarmRule, alarm: Alarm) -> None:
    """Say what is new about the alarm, once."""
    level = _level_of(alarm)
    if level > alarm.level:
        _raise(turn, alarm, level)
    elif level is Level.NONE:
        _calm(turn, alarm)
    elif level < alarm.level:
        alarm.level = level
        note(turn, alarm, "eased")
    elif _is_due_again(turn, rule, alarm):
        alarm.spoken_at = turn.at
        note(turn, alarm, "repeated")


def _level_of(alarm: Alarm) -> Level:
    if alarm.critical.is_on:
        return Level.CRITICAL
    return Level.WARNING if alarm.warning.is_on else Level.NONE


def _raise(turn: Turn, alarm: Alarm, level: Level) -> None:
    """A level is reached. What somebody saw was less bad, so it must be seen anew."""
    alarm.level, alarm.peak = level, max(level, alarm.peak)
    alarm.raised_at = alarm.raised_at or turn.at
    alarm.spoken_at = turn.at
    alarm.acknowledged_at, alarm.acknowledged_by = None, ""
    note(turn, alarm, "raised")


def _calm(turn: Turn, alarm: Alarm) -> None:
    waits = alarm.warning.turning_since is not None or alarm.critical.turning_since is not None
    if alarm.level is not Level.NONE or not waits:
        leave(turn, alarm)


def _is_due_again(turn: Turn, rule: AlarmRule, alarm: Alarm) -> bool:
    if not rule.repeat_s or alarm.acknowledged_at is not None:
        return False
    if alarm.key in turn.state.alarm_shelves:
        return False
    return turn.at - (alarm.spoken_at or 0) >= rule.repeat_s * SECOND


def _end_shelves(turn: Turn) -> None:
    """A time of silence is over: what still stands calls for attention again."""
    shelves = turn.state.alarm_shelves
    for key in [key for key, shelf in shelves.items() if turn.at >= shelf.until]:
        del shelves[key]
        alarm = turn.state.alarms.get(key)
        if alarm is not None and alarm.level is not Level.NONE:
            alarm.spoken_at = turn.at
            alarm.acknowledged_at, alarm.acknowledged_by = None, ""
            note(turn, alarm, "returned")


def leave(turn: Turn, alarm: Alarm) -> None:
    """The alarm stands no more."""
    del turn.state.alarms[alarm.key]
    if alarm.raised_at is not None:
        alarm.level = alarm.peak
        note(turn, alarm, "cleared")


def note(turn: Turn, alarm: Alarm, what: str, by: str = "", until: int | None = None) -> None:
    """Write one line of the alarm log."""
    log = turn.state.alarm_log
    log.append(
        AlarmEntry(
            number=log[-1].number + 1 if log else 1,
            at=turn.at,
            key=alarm.key,
            rule=alarm.rule,
            metric=alarm.metric,
            subject=alarm.subject,
            level=alarm.level,
            what=what,
            value=alarm.value,
            by=by,
            until=until,
        )
    )
    del log[:-LOG_KEPT]
    turn.changes.alarms = True
