"""What every answer carries, how files are kept, and that a page tells when it can't be live."""

from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from app.main import board_app
from app.web.assets import BUILD, ROUTES, STATIC, build_of
from app.web.headers import SecurityHeaders


async def plain(request: Request) -> Response:
    return PlainTextResponse("hello")


SITE = TestClient(
    Starlette(routes=[Route("/", plain), *ROUTES], middleware=[Middleware(SecurityHeaders)])
)


def test_every_answer_tells_the_browser_what_it_must_not_do() -> None:
    for path in ("/", "/static/base.css", "/nothing"):
        headers = SITE.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("url", "told"), [("https://wall.example", True), ("http://wall.example", False)]
)
def test_browsers_of_an_https_address_come_by_no_other(url: str, told: bool) -> None:
    site = TestClient(SITE.app)
    site.app_state["parts"] = SimpleNamespace(settings=SimpleNamespace(public_url=url))

    assert ("strict-transport-security" in site.get("/").headers) is told


@pytest.mark.parametrize("path", ["/login/", "/admin/", "/alarms//", "/health/live/"])
def test_nobody_is_sent_to_the_host_that_a_request_names(path: str) -> None:
    client = TestClient(board_app(), base_url="http://evil.example", follow_redirects=False)

    assert client.get(path).status_code == 404


def test_a_page_is_never_stored() -> None:
    assert SITE.get("/").headers["cache-control"] == "no-store"


def test_a_file_of_this_build_is_kept_for_ever() -> None:
    assert "immutable" in SITE.get(f"/static/{BUILD}/base.css").headers["cache-control"]


def test_a_file_of_no_or_another_build_is_asked_for_again() -> None:
    for path in ("/static/base.css", "/static/0123456789/base.css"):
        answer = SITE.get(path)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-cache"


def test_a_missing_file_is_not_kept() -> None:
    answer = SITE.get(f"/static/{BUILD}/nothing.css")

    assert answer.status_code == 404
    assert "immutable" not in answer.headers["cache-control"]


def test_no_path_leads_out_of_the_folder() -> None:
    for path in ("/static/../app/main.py", "/static/%2e%2e/app/main.py", f"/static/{BUILD}/..%2f"):
        assert SITE.get(path).status_code in {404, 405}


def test_the_build_changes_with_any_file(tmp_path) -> None:
    before = build_of(tmp_path)
    (tmp_path / "a.css").write_text("a")
    between = build_of(tmp_path)
    (tmp_path / "a.css").write_text("b")

    assert len({before, between, build_of(tmp_path)}) == 3


def test_no_style_or_script_of_ours_asks_another_host() -> None:
    for file in STATIC.rglob("*.*"):
        if file.suffix in {".css", ".js"} and ".min." not in file.name:
            assert "://" not in file.read_text(), file.name
