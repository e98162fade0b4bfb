"""Every secret that Pitwall gives out is used rightly and wrongly, and looked for where it may lie.

A process of its own, as it is served, with all that it and its libraries have to say.
"""

import contextlib
import socket
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest
from starlette.routing import Route

from app.main import ROUTES
from app.pbx.redaction import spellings
from tests.chaos.site import free_port
from tests.running import PASSWORD, Pitwall
from tests.site import OURS, code_in, found
from tests.waiting import wait_for

GIVEN = "g1v3n-t0ken+for/programs=only"
STATUS = "api/Agent/ChangeStatus?extension=101&status=on"
UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)
# What somebody does with a secret (<S>), who has it by right or by chance.
MISUSES = (
    f"GET /hook/<S>/{STATUS} HTTP/1.1",
    f"HEAD /hook/<S>/{STATUS} HTTP/1.1",
    f"GET /hook/<S>/{STATUS}&status=asleep HTTP/1.1",
    "GET /hook/<S>/hook/<S>/api/unknown HTTP/1.1",
    f"GET /hook/<S> {STATUS} HTTP/1.1",
    "GET /setup/<S> HTTP/1.1",
    "GET /login?next=/hook/<S> HTTP/1.1",
    "GET /api/v1/floor?token=<S> HTTP/1.1",
    "GET /broken/<S>?token=<S> HTTP/1.1",
    "POST /broken/<S> HTTP/1.1",
    "POST /actions/pause?<S> HTTP/1.1",
    "GET /account HTTP/1.1",
    "GET /wall HTTP/1.1",
)
SOCKETS = ("/live", "/live?token=<S>", "/wall/live", "/hook/<S>/api", "/setup/<S>", "/broken/<S>")
# Endless, or of the provider that people sign in by.
ELSEWHERE = {"/api/v1/stream", "/login/oidc", "/login/oidc/callback"}
PAGES = sorted(
    route.path
    for route in ROUTES
    if isinstance(route, Route) and "GET" in (route.methods or ()) and "{" not in route.path
)


@dataclass
class Told:
    """The secrets by what they are for, and all that was written and shown besides."""

    secrets: dict[str, str] = field(default_factory=dict)
    when_made: list[str] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)
    log: str = ""
    audit: str = ""
    files: str = ""

    def shown_in(self, text: str) -> list[str]:
        """What the secrets are for that are in the text, however they are spelt."""
        return [name for name, secret in self.secrets.items() if is_in(text, secret)]


def is_in(text: str, secret: str) -> bool:
    """Raw, percent-encoded, escaped for JSON or HTML, or in base64."""
    return any(spelling in text for spelling in spellings(secret))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("canary")
    settings = {"PITWALL_WEBHOOK_TOKEN": "", "PITWALL_API_TOKEN": GIVEN}
    pitwall = Pitwall(free_port(), folder, ("tests.loud_server",), **settings)
    pitwall.start()
    try:
        story = tell(pitwall, folder)
    finally:
        pitwall.stop()
    story.log = (folder / "output.txt").read_text()
    with contextlib.closing(sqlite3.connect(folder / "pitwall.db")) as database:
        story.audit = repr(database.execute("SELECT * FROM audit").fetchall())
    story.files = "".join(each.read_bytes().decode("latin-1") for each in folder.glob("pitwall.*"))
    return story


def tell(pitwall: Pitwall, folder: Path) -> Told:
    story = Told()
    with browser(pitwall) as boss, browser(pitwall) as wall:
        give_out(story, boss, wall, folder)
        for secret in story.secrets.values():
            for spelt in {secret, quote(secret, safe="")}:
                misuse(pitwall.port, spelt, str(boss.cookies["sid"]))
        without_a_database(story, boss, folder)
        for path in set(PAGES) - ELSEWHERE:
            story.pages[path] = boss.get(path).text
        for path in ("/wall", "/wall/alive", "/api/v1/floor", "/metrics"):
            key = {"Authorization": f"Bearer {story.secrets['API token']}"}
            story.pages[f"{path} of others"] = wall.get(path, headers=key).text
    return story


def browser(pitwall: Pitwall) -> httpx2.Client:
    return httpx2.Client(base_url=pitwall.url, headers=OURS, timeout=20)


def give_out(story: Told, boss: httpx2.Client, wall: httpx2.Client, folder: Path) -> None:
    """One of each, and how Pitwall told of it."""
    first = found(r"(/setup/[\w-]+)", (folder / "output.txt").read_text())
    boss.post(first, data={"username": "boss", "password": PASSWORD, "again": PASSWORD})
    pages = [
        boss.post("/admin/webhooks", data={"days": "7"}),
        boss.post("/admin/webhooks", data={"days": "7"}),
        boss.post("/admin/tokens", data={"name": "statistics"}),
        boss.post("/admin/users", data={"do": "add", "username": "ann", "role": "supervisor"}),
    ]
    patterns = (r"/hook/([\w-]+)", r"/hook/([\w-]+)", r">(pw_[\w-]+)<", r"/setup/([\w-]+)")
    names = ("previous webhook token", "webhook token", "API token", "link")
    made = zip(names, patterns, pages, strict=True)
    story.secrets = {name: found(pattern, page.text) for name, pattern, page in made}
    code = code_in(wall.get("/pair").text)
    story.secrets["pairing cookie"] = str(wall.cookies["pairing"])
    boss.post("/admin/walls", data={"code": code, "name": "Hall"})
    wall.get("/pair")
    story.secrets["wall cookie"] = str(wall.cookies["wall"])
    story.secrets["session cookie"] = str(boss.cookies["sid"])
    story.secrets["API token of the settings"] = GIVEN
    story.when_made = [page.text for page in pages]


def misuse(port: int, secret: str, session: str) -> None:
    """Each of them with the secret as every key that it could be, with none, and signed in."""
    keys = f"Cookie: sid={secret}; wall={secret}; pairing={secret}\r\n"
    keys += f"Authorization: Bearer {secret}\r\n"
    for start in MISUSES:
        for more in (keys, ""):
            answer_to(port, f"{start.replace('<S>', secret)}\r\nHost: x\r\n{more}\r\n")
    for path in SOCKETS:
        start = f"GET {path.replace('<S>', secret)} HTTP/1.1\r\nHost: x\r\n"
        for origin in (f"Origin: http://127.0.0.1:{port}\r\n", "Origin: http://evil.test\r\n"):
            answer_to(port, f"{start}{UPGRADE}{keys}{origin}\r\n")
    # What the settings hold is no part of any address that people have.
    if secret not in {GIVEN, quote(GIVEN, safe="")}:
        signed_in = f"Host: x\r\nCookie: sid={session}\r\n\r\n"
        answer_to(port, f"POST /setup/{secret} HTTP/1.1\r\n{signed_in}")


def answer_to(port: int, request: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(request.encode())
        return connection.recv(65536)


def without_a_database(story: Told, boss: httpx2.Client, folder: Path) -> None:
    """Nothing can be written for a while, and everything fails that would."""
    hook = f"/hook/{story.secrets['webhook token']}/{STATUS}"
    database = folder / "pitwall.db"
    database.rename(folder / "elsewhere.db")
    assert boss.get(hook).status_code == 503
    assert boss.post("/admin/tokens", data={"name": "another"}).status_code == 503
    misuse(boss.base_url.port or 0, story.secrets["link"], story.secrets["session cookie"])
    (folder / "elsewhere.db").rename(database)
    wait_for(lambda: boss.get(hook).status_code == 200, 20)


def test_what_is_looked_for_was_there_when_it_was_made(told: Told) -> None:
    assert len(told.secrets) == 8
    assert len(set(told.secrets.values())) == 8
    for page, name in zip(told.when_made, list(told.secrets)[:4], strict=True):
        assert name in told.shown_in(page)


def test_no_line_of_the_log_shows_a_secret(told: Told) -> None:
    for said in ("RuntimeError: GET", "DEBUG uvicorn.error: < cookie", "WebSocket /hook/"):
        assert said in told.log
    assert told.shown_in(told.log) == []


def test_no_page_shows_a_secret_again(told: Told) -> None:
    assert "POST /setup/***" in told.pages["/admin/audit"]
    assert "statistics" in told.pages["/admin/tokens"]
    assert '"agents"' in told.pages["/api/v1/floor of others"]
    assert "Hall" in told.pages["/wall of others"]
    assert {
        path: shown for path, page in told.pages.items() if (shown := told.shown_in(page))
    } == {}


def test_neither_the_audit_nor_any_file_holds_a_secret(told: Told) -> None:
    assert "rotate webhook token" in told.audit
    assert "POST /setup/" in told.audit
    assert told.shown_in(told.audit) == []
    assert told.shown_in(told.files) == []
