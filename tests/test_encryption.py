"""Without encryption on the way nobody signs in unless the operator allows it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.websockets import WebSocketDisconnect

from app.access.passwords import Passwords
from app.web.origin import is_readable_on_the_way
from tests.building import PASSWORD, Building, opened_building

FAR = "http://10.0.0.5:8000"
HOOK = "a-token-of-the-webhooks"
FORM = {"username": "supervisor", "password": PASSWORD}
POSTED = {"Origin": FAR}
RING = "/api/callcenter/call_in?callid=1&queue=9001&extension=101&event=RING&phone=0901234567"


@pytest.fixture
def refused(tmp_path: Path) -> Iterator[Building]:
    with opened_building(
        tmp_path,
        PITWALL_PUBLIC_URL=FAR,
        PITWALL_WEBHOOK_TOKEN=HOOK,
        PITWALL_WEBHOOK_ALLOW="0.0.0.0/0",
    ) as building:
        yield building


@pytest.fixture
def allowed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Building]:
    folder = tmp_path_factory.mktemp("allowed")
    with opened_building(
        folder, PITWALL_PUBLIC_URL=FAR, PITWALL_ALLOW_INSECURE_LAN="yes"
    ) as building:
        yield building


@pytest.mark.parametrize(
    ("url", "is_open"),
    [
        ("https://board.example.test", False),
        ("http://localhost:8000", False),
        ("http://acme.localhost:8000", False),
        ("http://127.0.0.1", False),
        ("http://127.1.2.3:81", False),
        ("http://[::1]:8000", False),
        ("http://10.0.0.5:8000", True),
        ("http://0.0.0.0:8000", True),
        ("http://wall.lan", True),
        ("http://localhost.example.test", True),
        ("http://127.0.0.1.example.test", True),
    ],
)
def test_only_what_stays_in_the_machine_needs_no_encryption(url: str, is_open: bool) -> None:
    assert is_readable_on_the_way(url) is is_open


@pytest.mark.parametrize("path", ["/", "/login", "/pair", "/wall", "/setup/abc", "/admin"])
def test_every_page_says_what_to_do_instead(refused: Building, path: str) -> None:
    page = refused.client.get(path)

    assert page.status_code == 403
    assert "PITWALL_PUBLIC_URL" in page.text
    assert "PITWALL_ALLOW_INSECURE_LAN=yes" in page.text
    assert "<form" not in page.text


def test_no_password_is_taken(refused: Building, monkeypatch: pytest.MonkeyPatch) -> None:
    def looked_at(*given: object) -> None:
        raise AssertionError("a password was checked")

    monkeypatch.setattr(Passwords, "verify", looked_at)
    answer = refused.client.post("/login", data=FORM, headers=POSTED)

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def plain(building: Building, who: str) -> dict[str, str]:
    """The cookie as it is called where none can be `__Host-`, and the Origin of our pages."""
    return {"Cookie": building.keys[who]["Cookie"].replace("__Host-", ""), **POSTED}


def test_a_session_of_before_opens_no_socket(refused: Building, allowed: Building) -> None:
    with allowed.client.websocket_connect("/live", headers=plain(allowed, "supervisor")):
        pass
    with (
        pytest.raises(WebSocketDisconnect),
        refused.client.websocket_connect("/live", headers=plain(refused, "supervisor")),
    ):
        pass


def test_a_board_that_was_open_before_is_sent_to_the_sentence(refused: Building) -> None:
    assert refused.client.get("/alive").status_code == 401
    assert refused.client.get("/wall/alive").status_code == 401


def test_machines_are_served_all_the_same(refused: Building) -> None:
    for path in (f"/hook/{HOOK}{RING}", RING, RING.replace("/api/", "/API//")):
        assert refused.client.get(path).status_code == 200, path
    assert refused.client.get("/health/live").status_code == 200
    assert refused.client.get("/api/v1/floor", headers=refused.keys["program"]).status_code == 200
    assert refused.client.get("/metrics", headers=refused.keys["program"]).status_code == 200


def test_where_it_is_allowed_people_sign_in_and_every_page_says_so(allowed: Building) -> None:
    form = allowed.client.get("/login")
    answer = allowed.client.post("/login", data=FORM, headers=POSTED, follow_redirects=False)
    cookie = re.match(r"sid=[^;]+", answer.headers["set-cookie"])
    assert cookie
    board = allowed.client.get("/", headers={"Cookie": cookie[0]})

    assert answer.status_code == 303
    assert form.status_code == board.status_code == 200
    for page in (form, board):
        assert "Not encrypted" in page.text


def test_a_form_says_where_it_comes_from_only_where_nothing_else_does(
    allowed: Building, tmp_path: Path
) -> None:
    assert allowed.client.get("/login").headers["referrer-policy"] == "same-origin"
    with opened_building(tmp_path) as encrypted:
        assert encrypted.client.get("/login").headers["referrer-policy"] == "no-referrer"


def test_another_site_can_post_nothing_there_either(allowed: Building) -> None:
    headers = {"Origin": "http://evil.example", **allowed.keys["supervisor"]}
    answer = allowed.client.post("/login", data=FORM, headers=headers)

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_wall_says_so_too(allowed: Building) -> None:
    page = allowed.client.get("/wall", headers=plain(allowed, "wall"))

    assert page.status_code == 200
    assert "Not encrypted" in page.text


def test_an_encrypted_board_says_nothing_of_it(tmp_path: Path) -> None:
    with opened_building(tmp_path) as building:
        assert "Not encrypted" not in building.client.get("/login").text
