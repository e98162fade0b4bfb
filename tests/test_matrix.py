"""Every route × everybody who may knock: a new route fails here until it is decided who may use it.

Asked is only whether the door opens, not what the room does: a door that opens may still answer
422 to an empty form.
"""

from collections.abc import Iterator

import pytest
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.testclient import WebSocketDenialResponse

from app.domain.events import CallRinging
from app.main import ROUTES
from tests.building import PUBLIC, Building, opened_building

ANYBODY = frozenset({"anybody", "wall", "viewer", "supervisor", "admin", "program"})
SIGNED_IN = frozenset({"viewer", "supervisor", "admin"})
ACTORS = frozenset({"supervisor", "admin"})
ADMINS = frozenset({"admin"})
SCREENS = SIGNED_IN | {"wall"}
WALLS = frozenset({"wall"})
PROGRAMS = frozenset({"program"})

# On every answer of every route, whoever asks.
GUARDED = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "strict-transport-security": "max-age=31536000",
}

MAY_USE: dict[str, frozenset[str]] = {
    # No cookie opens or closes these: a token in the path, the address, or nothing.
    "GET /static": ANYBODY,
    "GET /health/live": ANYBODY,
    "GET /health/ready": ANYBODY,
    "GET /login": ANYBODY,
    "POST /login": ANYBODY,
    "GET /login/oidc": ANYBODY,
    "GET /login/oidc/callback": ANYBODY,
    "GET /setup/{secret}": ANYBODY,
    "POST /setup/{secret}": ANYBODY,
    "POST /logout": ANYBODY,
    "GET /pair": ANYBODY - WALLS,
    # People see how a wall would look; only a paired one gets its frames unasked.
    "GET /wall": SCREENS,
    "GET /wall/alive": SCREENS,
    "WS /wall/live": WALLS,
    # People
    "GET /alarms": SIGNED_IN,
    "GET /alarms/export": SIGNED_IN,
    "POST /alarms": ACTORS,
    "GET /abandons": SIGNED_IN,
    "POST /abandons": ACTORS,
    "GET /day": SIGNED_IN,
    "GET /day/heat": SIGNED_IN,
    "GET /queues/{queue:path}": SIGNED_IN,
    "GET /calls": SIGNED_IN,
    "GET /calls/{callid}": SIGNED_IN,
    "POST /calls/{callid}/recording": ACTORS,
    "GET /agents": SIGNED_IN,
    "GET /agents/{extension}": SIGNED_IN,
    "GET /rewind": SIGNED_IN,
    "GET /rewind/board": SIGNED_IN,
    "GET /export/{table}": SIGNED_IN,
    "GET /": SIGNED_IN,
    "GET /agents/{extension}/events": SIGNED_IN,
    "GET /alive": SIGNED_IN,
    "WS /live": SIGNED_IN,
    "GET /confirm": SIGNED_IN,
    "POST /confirm": SIGNED_IN,
    "GET /account": SIGNED_IN,
    "POST /account": SIGNED_IN,
    "POST /actions/end-listening": SIGNED_IN,
    "POST /actions/spy": ACTORS,
    "POST /actions/pause": ACTORS,
    "POST /actions/resume": ACTORS,
    "POST /actions/pause-several": ACTORS,
    "POST /actions/resume-several": ACTORS,
    "POST /actions/call": ACTORS,
    "POST /actions/call-back": ACTORS,
    # Administrators
    "GET /diagnostics": ADMINS,
    "GET /admin": ADMINS,
    "GET /admin/users": ADMINS,
    "POST /admin/users": ADMINS,
    "GET /admin/walls": ADMINS,
    "POST /admin/walls": ADMINS,
    "GET /admin/audit": ADMINS,
    "GET /admin/audit/export": ADMINS,
    "GET /admin/agents": ADMINS,
    "POST /admin/agents": ADMINS,
    "GET /admin/alarms": ADMINS,
    "POST /admin/alarms": ADMINS,
    "GET /admin/channels": ADMINS,
    "POST /admin/channels": ADMINS,
    "GET /admin/queues": ADMINS,
    "POST /admin/queues": ADMINS,
    "GET /admin/queues/effect": ADMINS,
    "GET /admin/webhooks": ADMINS,
    "POST /admin/webhooks": ADMINS,
    "GET /admin/tokens": ADMINS,
    "POST /admin/tokens": ADMINS,
    "GET /admin/pbx": ADMINS,
    "POST /admin/pbx": ADMINS,
    "GET /admin/drift": ADMINS,
    "GET /admin/availability": ADMINS,
    # Programs
    "GET /api/v1/floor": PROGRAMS,
    "GET /api/v1/calls": PROGRAMS,
    "GET /api/v1/stream": PROGRAMS,
    "GET /metrics": PROGRAMS,
}
# The PBX's own doors are tested with every bad input of theirs.
WEBHOOKS = frozenset({"/hook/{rest:path}", "/{rest:bare_webhook}"})
# Once it lets somebody in it answers for ever, so only the others knock.
ENDLESS = frozenset({"GET /api/v1/stream"})


def doors(routes: list[BaseRoute]) -> Iterator[str]:
    """Every route as "METHOD /path"."""
    for route in routes:
        if isinstance(route, WebSocketRoute):
            yield f"WS {route.path}"
        elif isinstance(route, Mount):
            yield f"GET {route.path}"
        elif isinstance(route, Route) and route.path not in WEBHOOKS:
            yield from (f"{method} {route.path}" for method in set(route.methods or ()) - {"HEAD"})


def lets_in(building: Building, door: str, who: str) -> bool:
    """Whether this door opens: it neither refuses, nor hides, nor asks to sign in."""
    method, _, path = door.partition(" ")
    building.client.cookies.clear()
    if method == "WS":
        return opens_socket(building, path, who)
    answer = building.client.request(
        method,
        with_names(path),
        headers={"Sec-Fetch-Site": "same-origin", "HX-Request": "true", **building.keys[who]},
        data={"username": "x", "password": "x"} if method == "POST" else None,
        follow_redirects=False,
    )
    assert answer.status_code < 500 or door == "GET /health/ready", answer.text
    assert {name: answer.headers.get(name) for name in GUARDED} == GUARDED
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "cache-control" in answer.headers
    to = answer.headers.get("location", answer.headers.get("hx-redirect", ""))
    return answer.status_code not in (401, 403, 404) and not to.startswith(ELSEWHERE)


def with_names(path: str) -> str:
    """The path of something that is there."""
    for name, value in THERE.items():
        path = path.replace(f"{{{name}}}", value)
    return path


def opens_socket(building: Building, path: str, who: str) -> bool:
    headers = {"Origin": PUBLIC, **building.keys[who]}
    try:
        with building.client.websocket_connect(path, headers=headers):
            return True
    except WebSocketDenialResponse:
        return False


# Where somebody is sent who stands before the wrong door.
ELSEWHERE = ("/login?", "/wall", "/pair")
# Doors that open to anybody, and then find the password, the link or the provider wrong.
OPEN_BUT_WRONG = frozenset(
    {
        "POST /login",
        "POST /confirm",
        "GET /setup/{secret}",
        "POST /setup/{secret}",
        "GET /login/oidc",
        "GET /login/oidc/callback",
        "GET /static",
    }
)


# What the doors with a name in them lead to.
THERE = {"secret": "x", "callid": "c1", "queue:path": "900", "extension": "101", "table": "calls"}


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Building]:
    with opened_building(tmp_path_factory.mktemp("matrix")) as opened:
        call = CallRinging(callid="c1", extension="101", queue="900", phone="0900123456")
        seq = opened.call(opened.parts.log.append, [call])
        opened.call(opened.parts.projector.wait_for, seq)
        opened.call(opened.parts.history.wait_for, seq)
        yield opened


def test_for_every_route_somebody_has_decided_who_may_use_it() -> None:
    assert set(doors(ROUTES)) == set(MAY_USE)


@pytest.mark.parametrize("door", sorted(set(MAY_USE) - OPEN_BUT_WRONG - {"POST /logout"}))
def test_each_door_opens_for_those_who_may_and_for_nobody_else(
    building: Building, door: str
) -> None:
    opening = MAY_USE[door] if door not in ENDLESS else frozenset[str]()
    knocking = ANYBODY if door not in ENDLESS else ANYBODY - MAY_USE[door]

    assert {who for who in knocking if lets_in(building, door, who)} == opening
