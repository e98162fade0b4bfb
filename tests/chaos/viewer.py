"""A supervisor who is signed in: what the board tells them, and what they click."""

import contextlib
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.chaos.site import PASSWORD, Site
from tests.waiting import SIGN_IN_S, wait_for


class Viewer:
    """A supervisor's board: the newest marker of its WebSocket, as the page reads it."""

    def __init__(self, site: Site) -> None:
        cookie = sign_in(site)
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


def sign_in(site: Site) -> str:
    """The session's cookie of a new supervisor."""
    made = site.command(
        "user", "add", "ann", "--extension", "910", standard_input=f"{PASSWORD}\n".encode()
    )
    assert made.returncode == 0, made.stderr
    wait_for(lambda: bool(cookies_of_login(site)), 20, every_s=SIGN_IN_S)
    return "; ".join(cookie.partition(";")[0] for cookie in cookies_of_login(site))


def cookies_of_login(site: Site) -> list[str]:
    """What a sign-in sets; nothing where it was refused."""
    form = urllib.parse.urlencode({"username": "ann", "password": PASSWORD}).encode()
    asking = urllib.request.Request(f"{site.url}/login", form, {"Origin": site.url})
    staying = Staying()
    with contextlib.suppress(urllib.error.HTTPError):
        urllib.request.build_opener(staying).open(asking, timeout=10)
    return staying.cookies


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


def click(site: Site, cookie: str, path: str, **fields: str) -> int:
    """An action of the board; the status of the answer, 0 for none."""
    form = urllib.parse.urlencode(fields).encode()
    headers = {"Origin": site.url, "Cookie": cookie, "HX-Request": "true"}
    asking = urllib.request.Request(f"{site.url}/actions/{path}", form, headers)
    try:
        with urllib.request.urlopen(asking, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
