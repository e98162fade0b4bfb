"""Every route and socket of a site × whatever its neighbour holds: it opens what a stranger's does.

And whoever is at home here, of whatever role, is shown nothing that stands in the neighbour's.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from httpx2 import Response
from starlette.testclient import WebSocketDenialResponse

from app.main import ROUTES
from tests.neighbours import (
    CANARIES,
    CANARY,
    EXTENSION,
    HERE,
    PHONE,
    QUEUE,
    THERE,
    Neighbours,
    opened_neighbours,
)
from tests.test_matrix import ENDLESS, MAY_USE, doors

HOOKS = ("GET /hook/{webhook}/api/Agent/on", "POST /hook/{webhook}/api/callcenter/call_in")
BARE = ("GET /api/Agent/on", "POST /api/callcenter/call_in")
DOORS = sorted(set(doors(ROUTES)) | set(HOOKS) | set(BARE))
HTTP = [door for door in DOORS if not door.startswith("WS ")]
SOCKETS = [door for door in DOORS if door.startswith("WS ")]
POSTS = [door for door in HTTP if door.startswith("POST ") and door not in HOOKS + BARE]
STRANGER: dict[str, str] = {}
OURS = {"Sec-Fetch-Site": "same-origin", "HX-Request": "true"}
FORM = {"username": "x", "password": "x", "extension": "101", "callid": "c1"}
# Made anew for each visitor, or each second.
FRESH = re.compile(r'class="code"[^>]*>[^<]*<|pairing=[\w-]+|expires=[^;]+')

PLACES = [
    # (what the path leads to, as it is called there)
    {"callid": "c1", "queue:path": QUEUE, "extension": EXTENSION, "table": "calls"},
    {"callid": f"{CANARY}-call", "queue:path": "900", "extension": "101", "table": "agents"},
]


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    with opened_neighbours(tmp_path_factory.mktemp("street")) as opened:
        yield opened


def asked(
    street: Neighbours, door: str, headers: dict[str, str], host: str = HERE, **names: str
) -> Response:
    method, _, path = door.partition(" ")
    street.client.cookies.clear()
    return street.client.request(
        method,
        f"https://{host}{filled(path, **names)}",
        headers={**OURS, **headers},
        data=FORM if method == "POST" else None,
        follow_redirects=False,
    )


def filled(path: str, **names: str) -> str:
    given = {**PLACES[0], "secret": "unknown", "webhook": "unknown", **names}
    for name, value in given.items():
        path = path.replace(f"{{{name}}}", value)
    return path


def said(answer: Response) -> tuple[int, list[tuple[str, str]], str]:
    """All of an answer that may be compared."""
    headers = [(name, FRESH.sub("", value)) for name, value in answer.headers.items()]
    kept = [(name, value) for name, value in headers if name not in ("date", "content-length")]
    return answer.status_code, sorted(kept), FRESH.sub("", answer.text)


def opens(street: Neighbours, door: str, headers: dict[str, str], host: str = HERE) -> int:
    """101, or the status of the refusal."""
    path = door.removeprefix("WS ")
    street.client.cookies.clear()
    try:
        with street.client.websocket_connect(
            f"wss://{host}{path}", headers={"Origin": f"https://{host}", **headers}
        ):
            return 101
    except WebSocketDenialResponse as refusal:
        return refusal.status_code


def who_of(street: Neighbours) -> dict[str, dict[str, str]]:
    return street.keys[THERE].headers


@pytest.mark.parametrize("door", HTTP)
def test_a_neighbour_is_answered_as_a_stranger_is(street: Neighbours, door: str) -> None:
    as_stranger = said(asked(street, door, STRANGER))

    for who, headers in who_of(street).items():
        assert said(asked(street, door, headers)) == as_stranger, who


@pytest.mark.parametrize("door", SOCKETS)
def test_no_socket_opens_to_a_neighbour(street: Neighbours, door: str) -> None:
    as_stranger = opens(street, door, STRANGER)

    assert as_stranger == 401
    for who, headers in who_of(street).items():
        assert opens(street, door, headers) == as_stranger, who


@pytest.mark.parametrize("door", [door for door in HTTP if "{secret}" in door])
def test_a_link_of_the_neighbour_is_as_unknown_as_any(street: Neighbours, door: str) -> None:
    unknown = said(asked(street, door, STRANGER, secret="u" * 43))

    assert said(asked(street, door, STRANGER, secret=street.keys[THERE].setup)) == unknown
    assert street.call(street.there.access.links.whose, street.keys[THERE].setup) is not None


@pytest.mark.parametrize("door", HOOKS)
def test_a_webhook_token_of_the_neighbour_is_as_unknown_as_any(
    street: Neighbours, door: str
) -> None:
    before = (street.here.log.last_seq, street.there.journal.counters)
    unknown = said(asked(street, door, STRANGER, webhook="unknown"))

    assert said(asked(street, door, STRANGER, webhook=street.keys[THERE].webhook)) == unknown
    assert unknown[0] == 404
    assert street.there.journal.counters == before[1]


@pytest.mark.parametrize("door", POSTS)
def test_a_page_of_the_neighbour_can_post_nothing_here(street: Neighbours, door: str) -> None:
    """Its visitor is signed in here, and the browser says where the page is from."""
    admin = street.keys[HERE].headers["admin"]
    for told in ({"Origin": f"https://{THERE}"}, {"Sec-Fetch-Site": "same-site"}):
        street.client.cookies.clear()
        method, _, path = door.partition(" ")
        answer = street.client.request(
            method,
            f"https://{HERE}{filled(path)}",
            headers={"HX-Request": "true", **admin, **told},
            data=FORM,
        )
        assert answer.status_code == 403


@pytest.mark.parametrize("door", SOCKETS)
def test_a_page_of_the_neighbour_can_open_no_socket_here(street: Neighbours, door: str) -> None:
    for who in ("admin", "wall"):
        headers = {**street.keys[HERE].headers[who], "Origin": f"https://{THERE}"}
        assert opens(street, door, headers) == 403


@pytest.mark.parametrize("place", PLACES, ids=["what is there", "what is there too"])
@pytest.mark.parametrize("door", sorted(set(HTTP) - ENDLESS))
def test_nobody_at_home_here_sees_a_canary(
    street: Neighbours, door: str, place: dict[str, str]
) -> None:
    path = filled(door, **place)
    for who, headers in street.keys[HERE].headers.items():
        answer = asked(street, door, headers, **place)
        # What was typed may be said again.
        seen = f"{answer.headers}{answer.text}"
        for typed in (path, *FORM.values()):
            seen = seen.replace(typed, "")
        for given in place.values():
            seen = seen.replace(given, "")
        assert not [canary for canary in CANARIES if canary in seen], who
    if door == "POST /logout":
        street.sign_in_again(HERE)
    assert asked(street, "GET /alive", street.keys[HERE].headers["admin"]).status_code == 204


@pytest.mark.parametrize("door", sorted(ENDLESS))
def test_no_stream_tells_a_canary(street: Neighbours, door: str) -> None:
    headers = {**who_of(street)["program"], **OURS}
    path = door.partition(" ")[2]

    assert street.client.get(f"https://{HERE}{path}", headers=headers).status_code == 401


@pytest.mark.parametrize("door", SOCKETS)
def test_no_frame_of_a_board_here_holds_a_canary(street: Neighbours, door: str) -> None:
    with ExitStack() as stack:
        for who, headers in street.keys[HERE].headers.items():
            if opens(street, door, headers) != 101:
                continue
            path = door.removeprefix("WS ")
            socket = stack.enter_context(
                street.client.websocket_connect(
                    f"wss://{HERE}{path}", headers={"Origin": f"https://{HERE}", **headers}
                )
            )
            frame = socket.receive_text()
            assert not [canary for canary in CANARIES if canary in frame], who


def test_the_canaries_do_sing_at_home(street: Neighbours) -> None:
    admin = street.keys[THERE].headers["admin"]
    pages = {
        door: asked(street, door, admin, THERE).text
        for door in ("GET /", "GET /admin/users", "GET /admin/walls", "GET /admin/channels")
    }

    assert [door for door, page in pages.items() if CANARY not in page] == []
    assert PHONE in asked(street, "GET /calls", admin, THERE).text
    assert opens(street, "WS /live", admin, THERE) == 101


def test_every_door_is_knocked_at() -> None:
    assert {door for door in DOORS if door not in HOOKS + BARE} == set(MAY_USE)


@pytest.mark.parametrize(
    "host",
    [
        "HERE.Example.TEST",
        "here.example.test.",
        "here.example.test:8000",
        "here.example.test.:443",
        "here.example.test:",
    ],
)
def test_a_host_may_be_written_in_other_ways(street: Neighbours, host: str) -> None:
    admin = street.keys[HERE].headers["admin"]

    assert asked(street, "GET /alive", {**admin, "Host": host}).status_code == 204
    assert asked(street, "GET /alive", {**who_of(street)["admin"], "Host": host}).status_code == 401


@pytest.mark.parametrize(
    "host",
    [
        "",
        "elsewhere.example.test",
        "example.test",
        "sub.here.example.test",
        "here.example.test@there.example.test",
        "here.example.test, there.example.test",
        "here.example.test/",
        "here.example.test:80:80",
        "127.0.0.1",
        "[::1]",
        "\x00here.example.test",
        "x" * 5000,
    ],
)
def test_no_site_is_at_another_host(street: Neighbours, host: str) -> None:
    for headers in ({}, street.keys[HERE].headers["admin"], who_of(street)["admin"]):
        for door in ("GET /", "GET /alive", "GET /login", "GET /static", *HOOKS, *POSTS[:3]):
            answer = asked(street, door, {**headers, "Host": host})
            assert answer.status_code == 404
            assert answer.text.startswith("There is no board at this address.")
    assert asked(street, "GET /health/live", {"Host": host}).json() == {"ok": True}
    assert asked(street, "GET /health/ready", {"Host": host}).json() == {"ok": True}


@pytest.mark.parametrize("door", SOCKETS)
def test_no_socket_opens_at_another_host(street: Neighbours, door: str) -> None:
    assert opens(street, door, who_of(street)["admin"], "elsewhere.example.test") == 404


@pytest.mark.parametrize(
    "header", ["X-Forwarded-Host", "X-Host", "X-Original-Host", "Forwarded", "X-Forwarded-Server"]
)
def test_a_header_that_names_the_neighbour_leads_nowhere(street: Neighbours, header: str) -> None:
    named = f"host={THERE}" if header == "Forwarded" else THERE
    admin = {**who_of(street)["admin"], header: named}

    assert asked(street, "GET /alive", admin).status_code == 401
    assert CANARY not in asked(street, "GET /login", admin).text


def test_two_hosts_in_one_request_are_none(street: Neighbours) -> None:
    both = [(b"host", HERE.encode()), (b"host", THERE.encode())]
    answer = street.client.get(f"https://{HERE}/login", headers=both)

    assert answer.status_code == 404
