"""An alarm's rule as people fill it in: the fields of a form checked and made into an event."""

import re

from app.domain.events import AlarmRuleSet
from app.domain.metrics import METRICS
from app.sentences import Sentence
from app.web.admin.page import AdminProblem
from app.web.admin.roster import label_in
from app.web.forms import Form

NUMBER = re.compile(r"[0-9]{1,6}([.,][0-9]{1,2})?", re.ASCII)
TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
LONGEST_S = 86_400
MOST_PERCENT = 100


def rule_in(form: Form, rule: str, by: str) -> AlarmRuleSet:
    """The rule that the form describes. Raises AdminProblem."""
    metric = form.one("metric")
    if metric not in METRICS:
        raise AdminProblem("Choose what the alarm watches.")
    event = AlarmRuleSet(
        rule=rule,
        metric=metric,
        scope=_scope(form, metric),
        warning=_limit(form, "warning"),
        critical=_limit(form, "critical"),
        dead_band=_limit(form, "dead_band") or 0.0,
        on_delay_s=_whole(form, "on_delay_s", Sentence("The delay before the alarm")),
        off_delay_s=_whole(form, "off_delay_s", Sentence("The delay before it clears")),
        repeat_s=_whole(form, "repeat_s", Sentence("The time until it speaks again")),
        least=_whole(form, "least", Sentence("The least number of calls"))
        if METRICS[metric].unit == "%"
        else 0,
        active_from=_minute(form, "active_from"),
        active_to=_minute(form, "active_to"),
        weekdays=_weekdays(form),
        enabled=form.one("enabled", "1") == "1",
        by=by,
    )
    _check_limits(event)
    return event


def _scope(form: Form, metric: str) -> str:
    if METRICS[metric].subjects == "floor":
        return ""
    return label_in(form.one("scope"))


def _limit(form: Form, name: str) -> float | None:
    text = form.one(name).strip()
    if not text:
        return None
    if not NUMBER.fullmatch(text):
        raise AdminProblem("A limit is a number such as 60 or 12.5; leave it empty for none.")
    return float(text.replace(",", "."))


def _whole(form: Form, name: str, what: str) -> int:
    text = form.one(name).strip() or "0"
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and int(text) <= LONGEST_S):
        why = Sentence("{what} is a whole number from 0 to {most}.", what=what, most=LONGEST_S)
        raise AdminProblem(why)
    return int(text)


def _minute(form: Form, name: str) -> int:
    """A time of day as minutes; empty is midnight."""
    text = form.one(name).strip()
    match = TIME.fullmatch(text or "0:00")
    if match is None:
        raise AdminProblem("Hours are times such as 08:00; leave both empty for the whole day.")
    return int(match[1]) * 60 + int(match[2])


def _weekdays(form: Form) -> tuple[int, ...]:
    """Days from 1 (Monday) to 7; all of them is the same as none."""
    texts = set(form.many("weekdays"))
    if not texts <= set("1234567"):
        raise AdminProblem("A weekday is a number from 1 (Monday) to 7.")
    return () if len(texts) == len("1234567") else tuple(sorted(map(int, texts)))


def _check_limits(event: AlarmRuleSet) -> None:
    metric, warning, critical = METRICS[event.metric], event.warning, event.critical
    if warning is None and critical is None:
        raise AdminProblem("Give a limit for the warning, for the critical level, or for both.")
    if metric.unit == "%" and max(warning or 0, critical or 0) > MOST_PERCENT:
        raise AdminProblem("A percentage is at most 100.")
    if warning is None or critical is None:
        return
    if warning == critical or (critical > warning) is not metric.above:
        if metric.above:
            raise AdminProblem("The critical limit must be above that of the warning.")
        raise AdminProblem("The critical limit must be below that of the warning.")
