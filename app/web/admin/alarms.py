"""The page of alarm rules: what is watched, from which value on, when, and for how long."""

import secrets
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.audit import Deed
from app.domain.alarm_acts import event_of
from app.domain.board import extension_order
from app.domain.default_rules import DEFAULTS
from app.domain.events import AlarmRuleRemoved, Event
from app.domain.metrics import METRICS
from app.domain.rules import AlarmRule
from app.rights import Principal
from app.sentences import Sentence, wording
from app.web.admin.alarm_form import rule_in
from app.web.admin.page import AdminProblem, act, change_floor, shown
from app.web.forms import Form
from app.web.guard import require_admin
from app.web.parts import parts_of

MOST_RULES = 100


async def alarms_page(request: Request) -> Response:
    await require_admin(request)
    return _shown(request)


def _shown(request: Request, status: int = 200, **said: object) -> Response:
    state = parts_of(request).floor.state
    rules = sorted(state.alarm_rules.values(), key=_order)
    return shown(
        request,
        "admin_alarms.html",
        status,
        rules=rules,
        metrics=METRICS,
        missing=[each for each in DEFAULTS if each.rule not in state.alarm_rules],
        queues=sorted((name for name in state.queues if name), key=extension_order),
        queue_name=parts_of(request).floor.queue_name,
        teams=sorted({agent.team for agent in state.agents.values() if agent.team}),
        zone=str(parts_of(request).settings.timezone),
        **said,
    )


def _order(rule: AlarmRule) -> tuple[bool, int, str, str]:
    return (not rule.enabled, list(METRICS).index(rule.metric), rule.scope, rule.rule)


async def change_alarms(request: Request) -> Response:
    """What `do` names; without it a rule is set: the one of that id, or a new one."""
    actions = {"": save, "remove": remove, "switch": switch, "defaults": defaults}
    try:
        return await act(request, actions)
    except AdminProblem as problem:
        return _shown(request, 422, problem=wording(problem))


async def save(request: Request, admin: Principal, form: Form) -> Response:
    known = parts_of(request).floor.state.alarm_rules
    rule = form.one("rule")
    if rule and rule not in known:
        raise AdminProblem("This rule was removed meanwhile; nothing was saved.")
    if not rule and len(known) >= MOST_RULES:
        full = Sentence("There are at most {most} rules; remove one first.", most=MOST_RULES)
        raise AdminProblem(full)
    event = rule_in(form, rule or secrets.token_hex(4), admin.name)
    limits = f"{event.metric} {event.scope} warning {event.warning} critical {event.critical}"
    await _change(request, admin, "set alarm rule", limits, event)
    return _shown(request, done="saved" if rule else "added")


async def switch(request: Request, admin: Principal, form: Form) -> Response:
    """Put a rule in force, or out of it."""
    rule = _known(request, form)
    event = event_of(replace(rule, enabled=not rule.enabled), admin.name)
    await _change(request, admin, f"turn alarm rule {'off' if rule.enabled else 'on'}", rule, event)
    return _shown(request, done="off" if rule.enabled else "on")


async def remove(request: Request, admin: Principal, form: Form) -> Response:
    rule = _known(request, form)
    event = AlarmRuleRemoved(rule=rule.rule, by=admin.name)
    await _change(request, admin, "remove alarm rule", rule, event)
    return _shown(request, done="removed")


async def defaults(request: Request, admin: Principal, form: Form) -> Response:
    """Bring back those of the rules a new board has that are not here."""
    known = parts_of(request).floor.state.alarm_rules
    events = [event_of(each, admin.name) for each in DEFAULTS if each.rule not in known]
    await _change(request, admin, "bring back alarm rules", f"{len(events)} rules", *events)
    return _shown(request, done="defaults")


def _known(request: Request, form: Form) -> AlarmRule:
    rule = parts_of(request).floor.state.alarm_rules.get(form.one("rule"))
    if rule is None:
        raise AdminProblem("This rule was removed meanwhile; nothing was changed.")
    return rule


async def _change(
    request: Request, admin: Principal, action: str, what: AlarmRule | str, *events: Event
) -> None:
    reason = what if isinstance(what, str) else f"{what.metric} {what.scope}".strip()
    if events:
        await change_floor(request, admin, [Deed(action, reason=reason)], events)


ROUTES: list[BaseRoute] = [
    Route("/admin/alarms", alarms_page, methods=["GET"]),
    Route("/admin/alarms", change_alarms, methods=["POST"]),
]
