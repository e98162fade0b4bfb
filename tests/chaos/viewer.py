"""A supervisor who is signed in: what the board tells them, and what they click."""

import asyncio
import contextlib
import http.client
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from app import people
from app.access import Access
from app.rights import Role
from app.settings import Settings
from tests.chaos.site import PASSWORD, Site
from tests.waiting import SIGN_IN_S, wait_for


class Viewer:
    """A supervisor's board: the newest marker of its WebSocket, as the page reads it."""

    def __init__(self, site: Site, name: str = "ann") -> None:
        cookie = sign_in(site, name)
        address = f"ws://127.0.0.1:{site.port}/live?order=extension"
        self._open = contextlib.ExitStack()
        self._socket = self._open.enter_context(
            connect(address, origin=Origin(site.url), additional_headers={"Cookie": cookie})
        )
        self._marker = ""
        self._changed = threading.Condition()
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            for frame in self._socket:
                marker = str(frame).rpartition('<i id="beat"')[2]
                with self._changed:
                    self._marker = marker
                    self._changed.notify_all()
                self._socket.send(str(self.version))

    def wait(self, unsaved: bool, patience_s: float) -> float | None:
        """Seconds until the board says so; None where it does not in time."""
        began = time.monotonic()
        with self._changed:
            met = self._changed.wait_for(
                lambda: bool(self._marker) and ("data-unsaved" in self._marker) is unsaved,
                patience_s,
            )
        return time.monotonic() - began if met else None

    @property
    def version(self) -> int:
        """Of the newest frame, 0 before the first."""
        version = re.search(r'data-version="(\d+)"', self._marker)
        return int(version[1]) if version else 0

    def close(self) -> None:
        self._open.close()


def sign_in(site: Site, name: str = "ann") -> str:
    """The session's cookie of a new supervisor."""
    made = site.command(
        "user", "add", name, "--extension", "910", standard_input=f"{PASSWORD}\n".encode()
    )
    assert made.returncode == 0, made.stderr
    wait_for(lambda: bool(cookies_of_login(site, name)), 20, every_s=SIGN_IN_S)
    return "; ".join(cookie.partition(";")[0] for cookie in cookies_of_login(site, name))


def cookies_of_login(site: Site, name: str) -> list[str]:
    """What a sign-in sets; nothing where it was refused."""
    form = urllib.parse.urlencode({"username": name, "password": PASSWORD}).encode()
    asking = urllib.request.Request(f"{site.url}/login", form, {"Origin": site.url})
    staying = Staying()
    with contextlib.suppress(urllib.error.HTTPError):
        urllib.request.build_opener(staying).open(asking, timeout=10)
    return staying.cookies


def supervisors(site: Site, number: int) -> list[str]:
    """The cookies of so many new supervisors, each with a phone; for a site that does not run."""

    async def sign_in_all(access: Access) -> list[str]:
        secrets = []
        for each in range(number):
            user = await access.accounts.create_user(
                f"supervisor{each}", Role.SUPERVISOR, PASSWORD, extension=str(900 + each)
            )
            secrets.append(await access.sessions.open(user.user_id, "127.0.0.1", ""))
        return secrets

    made = asyncio.run(people.with_access(Settings.from_env(site.environ), sign_in_all))
    return [f"sid={secret}" for secret in made]


def still_signed_in(site: Site, cookie: str) -> bool:
    """The board is still this person's to see."""
    asking = urllib.request.Request(f"{site.url}/alive", headers={"Cookie": cookie})
    try:
        with urllib.request.urlopen(asking, timeout=10) as answer:
            return int(answer.status) < 300
    except urllib.error.HTTPError:
        return False


class Staying(urllib.request.HTTPRedirectHandler):
    """Keeps what a redirect sets, and stays where it is."""

    def __init__(self) -> None:
        self.cookies: list[str] = []

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        self.cookies = headers.get_all("Set-Cookie", [])


@dataclass(frozen=True)
class Toast:
    """The answer to a click: its status (0 for none), what it says, and after how many seconds."""

    status: int
    words: str
    seconds: float


def click(site: Site, cookie: str, path: str, **fields: str) -> Toast:
    """An action of the board, as the page asks for it."""
    form = urllib.parse.urlencode(fields).encode()
    headers = {"Origin": site.url, "Cookie": cookie, "HX-Request": "true"}
    asking = urllib.request.Request(f"{site.url}/actions/{path}", form, headers)
    began = time.monotonic()
    try:
        with urllib.request.urlopen(asking, timeout=20) as answer:
            status, html = int(answer.status), answer.read().decode()
    except urllib.error.HTTPError as error:
        status, html = error.code, error.read().decode()
    except (OSError, http.client.HTTPException):
        status, html = 0, ""
    return Toast(status, words_in(html), time.monotonic() - began)


def words_in(html: str) -> str:
    """What a person reads of a toast; nothing where it is none."""
    told = re.search(r'<div class="toast"[^>]*><p>(.*?)</p>', html, re.DOTALL)
    return " ".join(re.sub("<[^>]*>", " ", told[1]).split()) if told else ""
