"""Who may do what over HTTP: rights, other sites' requests, and WebSockets before they open."""

import asyncio

import pytest
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from app.access.sessions import key_of
from app.access.walls import Display
from app.rights import Right, Role
from app.web import guard
from app.web.cookies import name_of
from tests.site import OURS, PUBLIC, opened

pytestmark = pytest.mark.anyio

SPOILED = [
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "same-site", "Origin": "https://other.example.test"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "null"},
    {"Origin": f"{PUBLIC}:8443"},
    {"Origin": "http://board.example.test"},
    {"Origin": "https://evilboard.example.test"},
    {"Sec-Fetch-Site": "cross-site", "Origin": PUBLIC, "HX-Request": "true"},
    {"HX-Request": "true"},
    {},
]


@pytest.fixture
async def site(tmp_path):
    async with opened(str(tmp_path / "test.db")) as made:
        yield made


async def test_a_supervisor_may_pause(site):
    ann = await site.signed_in("ann", Role.SUPERVISOR, name="Ann")
    answer = await ann.post("/pause", headers=OURS)

    assert (answer.status_code, answer.text) == (200, "paused by Ann")


async def test_on_plain_http_the_origin_decides(site):
    ann = await site.signed_in("ann", Role.SUPERVISOR)
    answer = await ann.post("/pause", headers={"Origin": PUBLIC, "HX-Request": "true"})

    assert answer.status_code == 200


@pytest.mark.parametrize("headers", SPOILED)
async def test_what_another_site_posts_is_refused_and_noted(site, headers):
    ann = await site.signed_in("ann", Role.SUPERVISOR)
    answer = await ann.post("/pause", headers=headers)
    newest = (await site.audited())[0]

    assert (answer.status_code, "a page of this board" in answer.text) == (403, True)
    assert (newest.kind, newest.reason, newest.actor_name) == ("denied", "POST /pause", "ann")


async def test_a_request_of_our_page_that_is_not_htmx_is_refused(site):
    ann = await site.signed_in("ann", Role.SUPERVISOR)
    answer = await ann.post("/pause", headers={"Sec-Fetch-Site": "same-origin", "Origin": PUBLIC})

    assert answer.status_code == 403


async def test_strangers_can_not_fill_the_audit(site):
    stranger = site.visitor()
    for _ in range(3):
        await stranger.post("/pause", headers=SPOILED[0])

    assert await site.audited() == []


@pytest.mark.parametrize(
    "path", ["/hook/secret/api/callcenter/call_in", "//Hook/x/y", "/api/callcenter/call_in"]
)
async def test_the_pbx_needs_none_of_these_headers(site, path):
    answer = await site.visitor().request("POST", f"{PUBLIC}{path}")

    assert answer.status_code in (200, 404)


async def test_a_program_with_a_token_needs_none_either(site):
    answer = await site.visitor().post("/api/v1/floor", headers={"Authorization": "Bearer x"})
    assert answer.status_code == 200

    assert (await site.visitor().post("/api/v1/floor")).status_code == 403


async def test_preflights_of_other_sites_are_not_answered(site):
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = await site.visitor().options("/pause", headers=headers)

    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("role", [Role.VIEWER])
async def test_who_has_not_the_right_is_refused_and_noted(site, role):
    visitor = await site.signed_in("vic", role)
    answer = await visitor.post("/pause", headers=OURS)
    newest = (await site.audited())[0]

    assert answer.status_code == 403
    assert "does not have the right" in answer.text
    assert (newest.kind, newest.action, newest.extension) == ("denied", "pause", "101")
    assert (newest.actor_role, newest.address) == ("viewer", "192.0.2.1")


async def test_a_supervisor_of_other_queues_is_refused(site):
    ann = await site.signed_in("ann", Role.SUPERVISOR, queues=frozenset({"1"}))

    assert (await ann.post("/pause", headers=OURS)).status_code == 403


async def test_a_right_that_was_taken_is_gone_with_the_next_click(site):
    ann = await site.signed_in("ann", Role.SUPERVISOR)
    user = site.access.accounts.named("ann")
    assert (await ann.post("/pause", headers=OURS)).status_code == 200

    await site.access.accounts.change(user.user_id, rights=frozenset({Right.LISTEN}))
    assert (await ann.post("/pause", headers=OURS)).status_code == 403


async def test_nobody_is_sent_to_sign_in(site):
    stranger = site.visitor()
    page = await stranger.get("/?order=name")
    click = await stranger.post("/pause", headers=OURS)

    assert (page.status_code, page.headers["location"]) == (303, "/login?next=/%3Forder%3Dname")
    assert (click.status_code, click.headers["hx-redirect"]) == (401, "/login")


@pytest.mark.parametrize("value", ["a" * 8000, "x", "%00", '"\\ud800"'])
async def test_a_cookie_that_is_none_of_ours_opens_nothing(site, value):
    answer = await site.visitor().get("/", headers={"Cookie": f"__Host-sid={value}"})

    assert answer.status_code == 303


async def test_a_wall_is_no_person(site):
    token = await site.access.walls.add(Display("Hall"), "Ann", "192.0.2.9")
    wall = site.visitor()
    wall.cookies.set("__Host-wall", token)
    board = await wall.get("/")
    click = await wall.post("/pause", headers=OURS)

    assert board.headers["location"] == "/wall"
    assert click.status_code == 403
    assert (await site.audited())[0].actor_role == "wall"


async def test_every_answer_forbids_frames(site):
    ann = await site.signed_in("ann", Role.SUPERVISOR)
    answers = [await ann.get("/"), await ann.post("/pause"), await site.visitor().get("/")]

    assert all(
        "frame-ancestors 'none'" in each.headers["content-security-policy"] for each in answers
    )


# WebSockets


def socket(site, secret="", origin=PUBLIC, cookie="__Host-sid"):
    """A WebSocket that knocks, and what it was sent."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "websocket.connect"}

    headers = [(b"cookie", f"{cookie}={secret}".encode())]
    if origin:
        headers.append((b"origin", origin.encode()))
    scope = {
        "type": "websocket",
        "path": "/live",
        "query_string": b"",
        "headers": headers,
        "client": ("192.0.2.1", 4),
        "state": {"parts": site.parts},
        "extensions": {"websocket.http.response": {}},
    }
    return WebSocket(scope, receive, send), sent


async def admitted(knocking):
    asker = await guard.admit(knocking, guard.asker_of)
    assert asker, "turned away"
    return asker


async def session_of(site, role=Role.VIEWER):
    user = await site.access.accounts.create_user("ann", role, "seven grey herons")
    return user, await site.access.sessions.open(user.user_id, "", "")


@pytest.mark.parametrize(
    "origin", ["", "null", "https://evil.example", "https://evilboard.example.test", f"{PUBLIC}:1"]
)
async def test_a_page_of_another_site_gets_no_socket(site, origin):
    _, secret = await session_of(site)
    knocking, sent = socket(site, secret, origin)

    assert await guard.admit(knocking, guard.asker_of) is None
    assert sent[0]["status"] == 403
    assert (await site.audited())[0].action == "open a live board"


async def test_nobody_gets_no_socket(site):
    knocking, sent = socket(site, "x")

    assert await guard.admit(knocking, guard.asker_of) is None
    assert sent[0]["status"] == 401


async def test_people_and_walls_get_a_socket(site):
    user, secret = await session_of(site)
    person = await admitted(socket(site, secret)[0])
    token = await site.access.walls.add(Display("Hall"), "Ann", "")
    wall = await admitted(socket(site, token, cookie="__Host-wall")[0])

    assert person.user_id == user.user_id
    assert wall.role is Role.WALL


@pytest.mark.parametrize(("own", "shown"), [("vi", "vi"), ("", "en")])
async def test_people_are_answered_in_their_language_or_else_the_sites(site, own, shown):
    user, secret = await session_of(site)
    await site.access.accounts.change(user.user_id, language=own)

    assert guard.language_of(socket(site, secret)[0]) == shown
    assert guard.language_of(socket(site, "x")[0]) == "en"


async def test_a_user_has_ten_boards_at_most(site):
    _, secret = await session_of(site)
    knocking, sent = socket(site, secret)
    person = await admitted(knocking)
    opened_boards = [guard.open_board(knocking, person) for _ in range(10)]
    for each in opened_boards:
        each.__enter__()

    assert await guard.admit(knocking, guard.asker_of) is None
    assert sent[0]["status"] == 429

    opened_boards[0].__exit__(None, None, None)
    assert await guard.admit(socket(site, secret)[0], guard.asker_of)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        # The numbers are what the page knows (`static/live.js`).
        ({"role": Role.SUPERVISOR}, 4401),
        ({"disabled": True}, 4401),
        ({"queues": frozenset({"1"})}, 4205),
        ({"rights": frozenset({Right.PAUSE})}, 4205),
    ],
)
async def test_a_socket_hears_within_a_second_that_it_must_close(site, change, code):
    user, secret = await session_of(site)
    knocking, _ = socket(site, secret)
    person = await admitted(knocking)
    waiting = asyncio.create_task(guard.wait_ended(knocking, person))
    await asyncio.sleep(0)
    await site.access.accounts.change(user.user_id, **change)

    assert await asyncio.wait_for(waiting, 1) == code


async def wall_that_waits(site):
    """A wall that hangs, and the task that ends when its socket must close."""
    token = await site.access.walls.add(Display("Hall"), "Ann", "")
    knocking, _ = socket(site, token, cookie="__Host-wall")
    wall = await admitted(knocking)
    waiting = asyncio.create_task(guard.wait_ended(knocking, wall))
    await asyncio.sleep(0)
    return wall, waiting


async def test_a_wall_that_is_turned_off_hears_it_too(site):
    wall, waiting = await wall_that_waits(site)
    await site.access.walls.remove(wall.user_id)

    assert await asyncio.wait_for(waiting, 1) == guard.SIGNED_OUT


async def test_a_wall_that_is_to_show_something_else_hears_that_its_page_must_be_loaded_anew(site):
    wall, waiting = await wall_that_waits(site)
    await site.access.walls.change(wall.user_id, Display("Hall", "queue", frozenset({"999"})))

    assert await asyncio.wait_for(waiting, 1) == 4205


async def test_the_session_id_is_nowhere_in_who_is_asking(site):
    _, secret = await session_of(site)
    person = await admitted(socket(site, secret)[0])

    assert person.session == key_of(secret)
    assert secret not in repr(person)


async def test_on_https_the_cookies_are_bound_to_the_host(site):
    connection = HTTPConnection({"type": "http", "headers": [], "state": {"parts": site.parts}})
    assert name_of(connection, "sid") == "__Host-sid"

    site.parts.settings.public_url = "http://127.0.0.1:8000"
    assert name_of(connection, "sid") == "sid"
