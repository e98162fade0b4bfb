"""Paths, hosts, searches and error pages: the cases that ask for what must not be given."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import request_response

from app import main
from app.domain.events import CallRecorded, CallRinging, QueueNamed
from app.web import assets
from tests.bad_cases import BY_NAME, Case, group, run_here, runs, statuses
from tests.building import Building, opened_building

HOST = "pbx.example.test"
KEY = "canary-key-93b2"
STATIC = {
    case["name"]: case
    for case in group("ui-files-and-headers")
    if case["name"].startswith("static-")
}
ROUTES: dict[str, str] = {"login": "/login", "health": "/health/live", "metrics": "/metrics"}
ANONYMOUS = {
    case["name"]: case
    for case in group("ui-files-and-headers")
    if case["as"] == "anonymous" and case["name"] not in STATIC
}
run_here(STATIC, f"{__name__}.test_nothing_but_assets_is_a_file")
run_here(ANONYMOUS, f"{__name__}.test_strangers_are_told_nothing")
RECORDINGS = {
    "rebind-1": "https://rebind.example.test/rec/1.wav",
    "html-1": f"https://{HOST}/login.html",
}


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Building]:
    settings = {
        "PITWALL_RECORDING_HOSTS": HOST,
        "PITWALL_PBX_URL": f"https://{HOST}",
        "PITWALL_PBX_KEY": KEY,
    }
    with opened_building(tmp_path_factory.mktemp("files"), main.wall_clock, **settings) as opened:
        happen(opened, CallRinging(callid="1", phone="+84906000111", queue="=1+1|cmd"))
        for callid, address in RECORDINGS.items():
            happen(opened, CallRecorded(callid=callid, status="ANSWER", recording=address))
        yield opened


def happen(building: Building, event: Any) -> None:
    seq = building.call(building.parts.log.append, [event])
    building.call(building.parts.projector.wait_for, seq)
    building.call(building.parts.history.wait_for, seq)


def got(building: Building, path: str, who: str = "anybody", **more: Any) -> Any:
    building.client.cookies.clear()
    headers = {**building.keys[who], **more.pop("headers", {})}
    method = more.pop("method", "GET")
    return building.client.request(method, path, headers=headers, follow_redirects=False, **more)


@pytest.mark.parametrize("name", STATIC)
def test_nothing_but_assets_is_a_file(building: Building, name: str):
    path = STATIC[name]["path"]
    for who in ("anybody", "supervisor"):
        answer = got(building, path, who)
        inside = got(building, path.replace("/static", f"/static/{assets.BUILD}", 1), who)

        assert answer.status_code in statuses(name)
        assert inside.status_code in statuses(name)
        assert "root:" not in answer.text + inside.text
        assert len(answer.content) < 5000


@pytest.mark.parametrize("name", ANONYMOUS)
def test_strangers_are_told_nothing(building: Building, name: str):
    case = ANONYMOUS[name]
    answer = got(building, path_of(case), headers=case.get("headers", {}))

    assert answer.status_code in statuses(name)
    assert "evil.example" not in answer.text + str(answer.headers)
    assert "84906000111" not in answer.text
    assert not any(word in answer.text for word in (HOST, "Traceback", ".py", "sqlite", "/test.db"))
    if name == "health-anonymous":
        assert answer.json() == {"ok": True}
    if "no_route_override" in case["must_hold"]:
        assert answer.text == got(building, "/login").text


def path_of(case: Case) -> str:
    word = case["path"].removeprefix("{route:").removesuffix("}")
    return ROUTES.get(word, str(case["path"]))


@runs("not-found-page-does-not-reflect")
def test_a_page_that_is_not_there_does_not_repeat_what_was_asked(building: Building):
    case = BY_NAME["not-found-page-does-not-reflect"]
    for who in ("anybody", "supervisor"):
        answer = got(building, case["path"], who)

        assert answer.status_code in statuses(case["name"])
        assert "alert(1)" not in answer.text


@runs("recording-proxy-foreign-url", "recording-of-unknown-call")
@pytest.mark.parametrize("query", [{"url": "http://169.254.169.254/"}, {"callid": "nope"}])
def test_a_recording_is_asked_for_by_a_call_that_there_is(building: Building, query: Any):
    answer = got(
        building, "/calls/nope/recording", "supervisor", method="POST", params=query, headers=OURS
    )

    assert answer.status_code == 404


@runs("recording-dns-rebinding", "recording-html-instead-of-audio")
@pytest.mark.parametrize("callid", RECORDINGS)
def test_this_server_fetches_no_recording(building: Building, callid: str, no_network: list[Any]):
    answer = got(building, f"/calls/{callid}/recording", "supervisor", method="POST", headers=OURS)
    page = got(building, f"/calls/{callid}", "supervisor")

    assert no_network == []
    # Only <audio> plays it, from the one host that may be played from: no HTML of others is shown.
    assert "<a " not in answer.text
    assert "<iframe" not in answer.text + page.text
    assert ("<audio" in answer.text) is (callid == "html-1")
    assert "rebind.example.test" not in page.headers["content-security-policy"]
    assert "media-src 'self'" in page.headers["content-security-policy"]


OURS = {"Sec-Fetch-Site": "same-origin", "HX-Request": "true"}


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    opened: list[Any] = []
    monkeypatch.setattr("socket.socket.connect", lambda self, address: opened.append(address))
    monkeypatch.setattr("socket.getaddrinfo", lambda *told, **more: opened.append(told))
    return opened


@runs("history-order-by-injection")
def test_an_order_that_is_sql_orders_nothing(building: Building):
    tables = building.call(building.parts.database.read, "SELECT sql FROM sqlite_master")
    for path in ("/calls", "/abandons", "/agents", "/day", "/api/v1/calls"):
        query = BY_NAME["history-order-by-injection"]["query"]
        answer = got(building, path, "supervisor", params=query)
        assert answer.status_code in {200, 400, 401, 422}
    assert tables == building.call(building.parts.database.read, "SELECT sql FROM sqlite_master")
    assert "+84906000111" in got(building, "/calls", "supervisor").text


@runs("history-search-like-wildcards")
def test_a_search_for_wildcards_finds_no_wildcards_and_takes_no_time(building: Building):
    text, times = BY_NAME["history-search-like-wildcards"]["query"]["phone"]["$repeat"]
    began = time.monotonic()
    answer = got(building, "/calls", "supervisor", params={"phone": text * times})

    assert time.monotonic() - began < 2
    assert answer.status_code in {200, 422}
    assert "+84906000111" not in answer.text


@runs("export-csv-formula")
def test_a_cell_that_begins_like_a_formula_is_text(building: Building):
    rows = len(building.call(building.access.audit.page))
    answer = got(building, "/export/calls", "admin", params={"format": "csv"})

    assert answer.status_code == 200
    assert "'=1+1|cmd" in answer.text
    assert "'+84906000111" in answer.text
    assert len(building.call(building.access.audit.page)) == rows + 1


@runs("error-page-no-trace")
def test_an_error_page_says_that_it_is_one_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async def broken(request: Request) -> Response:
        raise RuntimeError(f"the key {KEY} at /srv/app/main.py")

    route = next(one for one in main.ROUTES if getattr(one, "path", "") == "/account")
    monkeypatch.setattr(route, "app", request_response(broken))
    with opened_building(tmp_path) as building:
        building.client._transport.raise_server_exceptions = False  # type: ignore[attr-defined]
        answer = got(building, "/account", "supervisor")

    assert answer.status_code == 500
    assert KEY not in answer.text
    assert not any(word in answer.text for word in ("Traceback", "RuntimeError", ".py"))
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_a_queue_with_markup_is_text_in_every_list(building: Building):
    happen(building, QueueNamed(queue="904", name="<script>alert(1)</script>"))
    for path in ("/", "/admin/queues", "/day", "/calls"):
        assert "<script>alert" not in got(building, path, "admin").text
