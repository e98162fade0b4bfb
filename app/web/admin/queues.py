"""The page of queues: names, T, short abandons, and which service level is meant."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.audit import Deed
from app.domain.board import extension_order
from app.domain.events import QueueNamed
from app.domain.figures import VARIANTS, figures_of
from app.domain.model import Queue
from app.domain.view import Figures
from app.pbx.fields import QUEUE_LENGTH, is_visible
from app.rights import Principal
from app.sentences import Sentence, wording
from app.web.admin.page import AdminProblem, act, change_floor, shown
from app.web.admin.roster import label_in
from app.web.forms import Form
from app.web.guard import require_admin
from app.web.parts import parts_of

MOST_QUEUES = 500
LONGEST_T_S = 3_600
T = "T"
SHORT = Sentence("The limit of short abandons")


@dataclass(frozen=True, slots=True)
class Effect:
    """What T and the limit of short abandons make of a queue's day, by variant."""

    t: int
    short: int
    figures: dict[str, Figures]


def effect_on(queue: Queue, t: int, short: int) -> Effect:
    """Today's figures as they would be with these limits (seconds)."""
    figures = {name: figures_of(queue.today, t, short, name) for name in VARIANTS}
    return Effect(t, short, figures)


async def queues_page(request: Request) -> Response:
    await require_admin(request)
    return _shown(request)


def _shown(request: Request, status: int = 200, **said: object) -> Response:
    known = parts_of(request).floor.state.queues
    queues = [known[name] for name in sorted(known, key=extension_order) if name]
    effects = {
        queue.queue: effect_on(queue, queue.service_level_s, queue.short_abandon_s)
        for queue in queues
    }
    return shown(request, "admin_queues.html", status, queues=queues, effects=effects, **said)


async def effect(request: Request) -> Response:
    """What the limits in the form, not yet saved, make of today's figures."""
    await require_admin(request)
    asked = request.query_params
    queue = parts_of(request).floor.state.queues.get(asked.get("queue", "")) or Queue("")
    try:
        t = seconds_in(asked.get("service_level_s", ""), 1, T)
        short = seconds_in(asked.get("short_abandon_s", ""), 0, SHORT)
    except AdminProblem as problem:
        return shown(request, "admin_effect.html", 422, effect=None, problem=wording(problem))
    chosen = asked.get("variant", queue.variant)
    return shown(request, "admin_effect.html", effect=effect_on(queue, t, short), chosen=chosen)


async def change_queues(request: Request) -> Response:
    """Describe the queue of that id, or add it."""
    try:
        return await act(request, {"": save})
    except AdminProblem as problem:
        return _shown(request, 422, problem=wording(problem))


async def save(request: Request, admin: Principal, form: Form) -> Response:
    known = parts_of(request).floor.state.queues
    queue = queue_in(form.one("queue"))
    is_new = queue not in known
    if is_new and len(known) >= MOST_QUEUES:
        full = Sentence(
            "The board holds at most {most} queues; nothing was saved.", most=MOST_QUEUES
        )
        raise AdminProblem(full)
    event = _described(form, known.get(queue) or Queue(queue))
    changed = _differences(event, known.get(queue))
    if changed:
        deed = Deed("describe queue", queue=queue, reason=changed)
        await change_floor(request, admin, [deed], [event])
    done = ("added" if is_new else "saved") if changed else "same"
    return _shown(request, done=done, who=event.name or queue)


def _described(form: Form, queue: Queue) -> QueueNamed:
    """The whole description, with what the form does not say taken from the queue."""
    variant = form.one("variant", queue.variant)
    if variant not in VARIANTS:
        names = ", ".join(VARIANTS)
        raise AdminProblem(Sentence("The service level is one of: {variants}.", variants=names))
    t = form.one("service_level_s", str(queue.service_level_s))
    short = form.one("short_abandon_s", str(queue.short_abandon_s))
    return QueueNamed(
        queue=queue.queue,
        name=label_in(form.one("name", queue.name)),
        service_level_s=seconds_in(t, 1, T),
        short_abandon_s=seconds_in(short, 0, SHORT),
        variant=variant,
    )


def queue_in(text: str) -> str:
    """A queue's id as the PBX sends it. Raises AdminProblem."""
    queue = text.strip()
    if not 1 <= len(queue) <= QUEUE_LENGTH or not is_visible(queue):
        raise AdminProblem("A queue has 1 to 64 visible characters, as the PBX sends them.")
    return label_in(queue)


def seconds_in(text: str, least: int, what: str) -> int:
    """A whole number of seconds. Raises AdminProblem."""
    digits = text.strip()
    plain = digits.isascii() and digits.isdigit() and len(digits) <= 6
    if not plain or not least <= int(digits) <= LONGEST_T_S:
        why = Sentence("{what} is a whole number of seconds from {least} to {most}.")
        raise AdminProblem(why.filled(what=what, least=least, most=LONGEST_T_S))
    return int(digits)


def _differences(event: QueueNamed, queue: Queue | None) -> str:
    rows = (
        ("name", f"name “{event.name}”"),
        ("service_level_s", f"T {event.service_level_s} s"),
        ("short_abandon_s", f"short {event.short_abandon_s} s"),
        ("variant", event.variant),
    )
    return ", ".join(
        words
        for name, words in rows
        if queue is None or getattr(event, name) != getattr(queue, name)
    )


ROUTES: list[BaseRoute] = [
    Route("/admin/queues", queues_page, methods=["GET"]),
    Route("/admin/queues", change_queues, methods=["POST"]),
    Route("/admin/queues/effect", effect, methods=["GET"]),
]
