"""Pairing a wall: the screen that shows a code, and the administrators' page of walls."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.access.pairing import Pairing
from app.access.walls import LAYOUTS, MASKINGS, THEMES, Display, WallProblem
from app.audit import Deed
from app.rights import Principal
from app.sentences import Sentence, wording
from app.web import cookies
from app.web.forms import Form, FormProblem, form_of
from app.web.guard import access_of, address_of, along, note, require_admin, wall_of
from app.web.pages import go, render
from app.web.users import queues_in
from app.web.wall import WALL, WALL_DAYS

# Of those who show no code of ours: they guess, or want a new one. A screen may ask as it likes.
PER_MINUTE = 60


async def pair(request: Request) -> Response:
    """The code of this screen; it asks again every few seconds until it is let in."""
    if wall_of(request):
        return go(request, WALL)
    pairings, secret = access_of(request).pairings, cookies.read(request, cookies.PAIRING)
    if token := pairings.collect(secret):
        return _let_in(request, token)
    pairing = pairings.find(secret)
    return _shows(request, pairing) if pairing else _new_code(request)


def _let_in(request: Request, token: str) -> Response:
    response = go(request, WALL)
    cookies.give(request, response, cookies.WALL, token, WALL_DAYS)
    cookies.take_back(request, response, cookies.PAIRING)
    return response


def _new_code(request: Request) -> Response:
    access, address = access_of(request), address_of(request)
    if wait := access.attempts.too_many(f"pair {address}", PER_MINUTE):
        problem = Sentence("Too many requests. Try again in {wait} s.", wait=wait)
        return render(request, "pair.html", 429, code="", problem=problem)
    try:
        secret, pairing = access.pairings.begin(address)
    except WallProblem as problem:
        return render(request, "pair.html", 503, code="", problem=wording(problem))
    response = _shows(request, pairing)
    cookies.give(request, response, cookies.PAIRING, secret)
    return response


def _shows(request: Request, pairing: Pairing) -> Response:
    code = f"{pairing.code[:4]} {pairing.code[4:]}"
    return render(request, "pair.html", code=code, problem="")


async def walls_page(request: Request) -> Response:
    await require_admin(request)
    return _shown(request)


def _shown(request: Request, status: int = 200, **said: str) -> Response:
    access = access_of(request)
    return render(
        request,
        "walls.html",
        status,
        walls=access.walls.all(),
        waiting=access.pairings.waiting(),
        layouts=LAYOUTS,
        maskings=MASKINGS,
        themes=THEMES,
        **{"problem": "", "done": "", **said},
    )


async def change_walls(request: Request) -> Response:
    """What `do` names: approve a screen, change or remove a wall."""
    admin = await require_admin(request, to_change=True)
    form = await form_of(request)
    actions = {"": approve, "change": change, "remove": remove}
    action = actions.get(form.one("do"))
    if action is None:
        raise FormProblem("There is no such thing to do.")
    try:
        return await action(request, admin, form)
    except WallProblem as problem:
        return _shown(request, 422, problem=wording(problem))


async def approve(request: Request, admin: Principal, form: Form) -> Response:
    display = read_display(form)
    pairings, code = access_of(request).pairings, form.one("code")
    what = f"{display.name} at {pairings.shown(code).address}"
    noting = along(request, admin, Deed("pair wall", reason=what))
    await pairings.approve(code, display, admin.name, noting)
    return _shown(request, done=display.name)


async def change(request: Request, admin: Principal, form: Form) -> Response:
    display = read_display(form)
    noting = along(request, admin, Deed("change wall", reason=display.name))
    await access_of(request).walls.change(form.number("wall"), display, noting)
    return _shown(request, done=display.name)


async def remove(request: Request, admin: Principal, form: Form) -> Response:
    """Off within a second, wherever it hangs."""
    walls = access_of(request).walls
    wall = walls.known(form.number("wall"))
    await note(request, admin, Deed("remove wall", reason=wall.display.name))
    await walls.remove(wall.wall_id)
    return _shown(request, done=wall.display.name)


def read_display(form: Form) -> Display:
    """What a wall is to show, as the form says."""
    some = form.one("scope") == "some"
    return Display(
        name=form.one("name"),
        layout=form.one("layout", LAYOUTS[0]),
        queues=frozenset(queues_in(form.one("queues"))) if some else None,
        language=form.one("language"),
        masking=form.one("masking", MASKINGS[0]),
        theme=form.one("theme", THEMES[0]),
    )


ROUTES: list[BaseRoute] = [
    Route("/pair", pair, methods=["GET"]),
    Route("/admin/walls", walls_page, methods=["GET"]),
    Route("/admin/walls", change_walls, methods=["POST"]),
]
