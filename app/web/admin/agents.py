"""The page of agents: names, teams, and who is never listened to; one by one or pasted as text."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.audit import Deed
from app.domain.events import AgentNamed
from app.rights import Principal
from app.sentences import Sentence, wording
from app.web.admin.page import AdminProblem, act, change_floor, shown
from app.web.admin.roster import (
    MOST_LINES,
    BadLine,
    Described,
    extension_in,
    label_in,
    read_lines,
    written,
)
from app.web.forms import Form
from app.web.guard import require_admin
from app.web.parts import parts_of

MOST_AGENTS = 2_000
LARGEST_PASTE = 1024 * 1024


async def agents_page(request: Request) -> Response:
    await require_admin(request)
    return _shown(request)


def _shown(
    request: Request,
    status: int = 200,
    *,
    pasted: str | None = None,
    bad: list[BadLine] | None = None,
    **said: object,
) -> Response:
    floor = parts_of(request).floor
    cards = floor.agent_cards()
    return shown(
        request,
        "admin_agents.html",
        status,
        agents=cards,
        teams=sorted({card.team for card in cards if card.team}),
        queue_name=floor.queue_name,
        text=written(cards) if pasted is None else pasted,
        bad=bad or [],
        **said,
    )


async def change_agents(request: Request) -> Response:
    """What `do` names; without `do` the agent of that extension is described, or added."""
    try:
        return await act(request, {"": save, "import": take_over}, LARGEST_PASTE)
    except AdminProblem as problem:
        return _shown(request, 422, problem=wording(problem))


async def save(request: Request, admin: Principal, form: Form) -> Response:
    said = Described(
        extension_in(form.one("extension")),
        label_in(form.one("name")) if "name" in form else None,
        label_in(form.one("team")) if "team" in form else None,
        # A box that is not ticked is not sent, so a "0" goes before it.
        "1" in form.many("never_listen") if "never_listen" in form else None,
    )
    is_new = parts_of(request).floor.agent_card(said.extension) is None
    changed = await _describe(request, admin, [said])
    done = ("added" if is_new else "saved") if changed else "same"
    return _shown(request, done=done, who=said.extension)


async def take_over(request: Request, admin: Principal, form: Form) -> Response:
    """All of the pasted lines, or none of them where one can't be read."""
    pasted = form.one("lines")
    described, bad = read_lines(pasted)
    if len(described) + len(bad) > MOST_LINES:
        many = Sentence("These are more than {most} lines; paste fewer at once.", most=MOST_LINES)
        raise AdminProblem(many)
    if bad:
        return _shown(request, 422, pasted=pasted, bad=bad)
    if not described:
        raise AdminProblem("There is no line with an agent in what was pasted.")
    changed = await _describe(request, admin, described)
    return _shown(request, done="imported", read=len(described), changed=changed)


async def _describe(request: Request, admin: Principal, described: list[Described]) -> int:
    """Put on the floor what differs from it; returns of how many agents it did."""
    floor = parts_of(request).floor
    cards = {card.extension: card for card in floor.agent_cards()}
    if len(cards.keys() | {one.extension for one in described}) > MOST_AGENTS:
        full = Sentence(
            "The board holds at most {most} agents; nothing was saved.", most=MOST_AGENTS
        )
        raise AdminProblem(full)
    changes = [
        (event, changed)
        for one in described
        if (changed := _differences(event := one.event(card := cards.get(one.extension)), card))
    ]
    if changes:
        await change_floor(request, admin, _deeds(changes), [event for event, _ in changes])
    return len(changes)


def _differences(event: AgentNamed, card: object) -> str:
    """What the event changes, in words for the audit; "" for nothing."""
    flag = "may not be listened to" if event.never_listen else "may be listened to"
    if card is None:
        mark = f"{flag}, " if event.never_listen else ""
        return f"added, {mark}name “{event.name}”, team “{event.team}”"
    rows = (
        ("never_listen", flag),
        ("name", f"name “{event.name}”"),
        ("team", f"team “{event.team}”"),
    )
    changed = [words for name, words in rows if getattr(event, name) != getattr(card, name)]
    return ", ".join(changed)


def _deeds(changes: list[tuple[AgentNamed, str]]) -> list[Deed]:
    """One for each agent while they are few; else one for all, and one for each changed mark."""
    few = len(changes) <= 20
    whole = [] if few else [Deed("import agents", reason=f"{len(changes)} agents")]
    return whole + [
        Deed("describe agent", "", event.extension, event.name, reason=changed)
        for event, changed in changes
        if few or "listened" in changed
    ]


ROUTES: list[BaseRoute] = [
    Route("/admin/agents", agents_page, methods=["GET"]),
    Route("/admin/agents", change_agents, methods=["POST"]),
]
