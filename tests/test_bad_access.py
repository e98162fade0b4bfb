"""Hostile sign-ins, requests of other sites and wrong roles: the cases of `bad-inputs.json`."""

import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from starlette.testclient import WebSocketDenialResponse, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from app.rights import Role
from tests.bad_cases import run_here, runs
from tests.bad_inputs import FILE
from tests.building import PASSWORD, PUBLIC, Building, opened_building, signed_in

ROUTES = {
    "login": "/login",
    "logout": "/logout",
    "board": "/",
    "ws": "/live",
    "pause": "/actions/pause",
    "spy": "/actions/spy",
    "call": "/actions/call",
    "settings": "/admin/pbx",
    "users": "/admin/users",
    "wall_tokens": "/admin/walls",
    "webhook_token": "/admin/webhooks",
    "rejected": "/diagnostics",
    "export": "/admin/audit/export",
    "profile": "/account",
}
GROUPS = {"ui-auth", "ui-csrf", "ui-roles"}
# The names that the cases have for people, where they differ from ours.
PEOPLE = {"anonymous": "anybody"}
CASES = {
    case["name"]: case
    for case in FILE["cases"]
    if case["group"] in GROUPS and case.get("transport") != "sequence"
}
SOCKETS = {
    case["name"]: case
    for case in FILE["cases"]
    if case["group"] == "ui-websocket" and 101 not in case["expect"]["status"]
}
run_here(CASES, f"{__name__}.test_what_is_hostile_is_answered_as_it_should_be")
run_here(SOCKETS, f"{__name__}.test_a_socket_that_must_not_open_does_not")


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Building]:
    with opened_building(tmp_path_factory.mktemp("access")) as opened:
        opened.call(opened.access.accounts.create_user, "sup", Role.SUPERVISOR, PASSWORD)
        for name, end in (("logged-out", False), ("other-session-of-user", True)):
            opened.keys[name] = opened.call(signed_in, opened.access, "sup")
            opened.call(end_sessions, opened, end)
        opened.keys["disabled"] = opened.call(signed_in, opened.access, "sup")
        opened.call(disable_and_enable, opened)
        yield opened


async def end_sessions(building: Building, by_password: bool) -> None:
    user = building.access.accounts.named("sup")
    assert user
    if by_password:
        await building.access.accounts.set_password(user.user_id, PASSWORD)
    else:
        await building.access.accounts.end_sessions(user.user_id)


async def disable_and_enable(building: Building) -> None:
    user = building.access.accounts.named("sup")
    assert user
    await building.access.accounts.disable(user.user_id)
    await building.access.accounts.disable(user.user_id, disabled=False)


def text(value: Any) -> Any:
    """A case's value with its generators and the right password written out."""
    if isinstance(value, dict) and "$repeat" in value:
        return value["$repeat"][0] * value["$repeat"][1]
    if isinstance(value, dict) and "$concat" in value:
        return "".join(text(part) for part in value["$concat"])
    return PASSWORD if value == "correct" else value


def written_out(fields: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if fields is None else {name: text(value) for name, value in fields.items()}


def path_of(case: dict[str, Any]) -> str:
    return ROUTES[case["path"].removeprefix("{route:").removesuffix("}")]


def asked(building: Building, case: dict[str, Any]) -> httpx2.Response:
    building.client.cookies.clear()
    who = PEOPLE.get(case["as"], case["as"])
    headers = {**building.keys[who], **(written_out(case.get("headers")) or {})}
    return building.client.request(
        case["method"],
        path_of(case),
        params=case.get("query"),
        headers=headers,
        data=written_out(case.get("form")),
        json=written_out(case.get("json")),
        follow_redirects=False,
    )


def denials(building: Building) -> int:
    rows = building.call(building.access.audit.page)
    return sum(row.kind == "denied" for row in rows)


def roles(building: Building) -> list[tuple[str, Role]]:
    return [(each.username, each.role) for each in building.access.accounts.all()]


@pytest.mark.parametrize("name", CASES)
def test_what_is_hostile_is_answered_as_it_should_be(building: Building, name: str) -> None:
    case = CASES[name]
    must = set(case["must_hold"])
    people, refused = roles(building), denials(building)
    answer = asked(building, case)
    location = answer.headers.get("location", "/")

    assert answer.status_code in case["expect"]["status"], answer.text
    assert roles(building) == people
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert not [header for header in answer.headers if header.startswith("access-control-")]
    assert "set-cookie" not in answer.headers or "no_session" not in must
    assert denials(building) > refused or not must & {"audit_denied", "audit_row"}
    assert "evil.example" not in answer.text


@pytest.mark.parametrize("name", SOCKETS)
def test_a_socket_that_must_not_open_does_not(building: Building, name: str) -> None:
    case = SOCKETS[name]
    building.client.cookies.clear()
    headers = {**building.keys[PEOPLE.get(case["as"], case["as"])], **case["headers"]}
    with (
        pytest.raises(WebSocketDenialResponse) as caught,
        building.client.websocket_connect("/live", headers=headers),
    ):
        pass

    assert caught.value.status_code in case["expect"]["status"]


@runs("login-lockout-as-denial-of-service")
def test_an_outsider_who_fails_all_day_keeps_nobody_out(building: Building) -> None:
    attempts = building.access.attempts
    for _ in range(1000):
        attempts.wait_s("sup", "203.0.113.9")
    building.client.cookies.clear()
    form = {"username": "sup", "password": PASSWORD}
    answer = building.client.post("/login", data=form, follow_redirects=False)

    assert attempts.wait_s("sup", "203.0.113.9") > 0
    assert answer.status_code == 303
    assert "sid=" in answer.headers["set-cookie"]


@runs("role-downgrade-with-open-socket")
def test_a_role_that_was_taken_away_is_gone_from_an_open_board(building: Building) -> None:
    accounts = building.access.accounts
    user = building.call(accounts.create_user, "risen", Role.SUPERVISOR, PASSWORD)
    cookie = building.call(signed_in, building.access, "risen")
    building.client.cookies.clear()
    ours = {**cookie, "Origin": PUBLIC, "Sec-Fetch-Site": "same-origin", "HX-Request": "true"}
    with building.client.websocket_connect("/live", headers=ours) as socket:
        socket.receive_text()
        building.call(demote, building, user.user_id)
        began = time.monotonic()
        with pytest.raises(WebSocketDisconnect):
            read_on(socket)
    form = {"callid": "1", "mode": "listen", "reason": "Training"}
    signed_out = building.client.post("/actions/spy", data=form, headers=ours)
    ours |= building.call(signed_in, building.access, "risen")
    signed_in_again = building.client.post("/actions/spy", data=form, headers=ours)

    assert time.monotonic() - began < 1
    assert signed_out.status_code == 401
    assert signed_in_again.status_code == 403


def read_on(socket: WebSocketTestSession) -> None:
    while True:
        socket.receive_text()


async def demote(building: Building, user_id: int) -> None:
    await building.access.accounts.change(user_id, role=Role.VIEWER)
