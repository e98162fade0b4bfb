"""R22: whatever breaks, the PBX is never asked to let somebody listen without an audit row before.

A PBX in this process notes what it was asked; supervisors click while the program is killed.
"""

import argparse
import http.server
import json
import random
import threading
import time
from collections import Counter
from pathlib import Path

from tests.chaos.site import Site, ring
from tests.chaos.verdict import Judged, told
from tests.chaos.viewer import click, sign_in

AGENTS = range(100, 140)
POINTS = ("begun", "before commit", "after commit")


class ListeningPbx(http.server.ThreadingHTTPServer):
    """Says yes to everything; `spied` has (extension, ms since the epoch) of each request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.spied: list[tuple[str, int]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def close(self) -> None:
        """Nobody is answered any more."""
        self.shutdown()
        self.server_close()


class Answering(http.server.BaseHTTPRequestHandler):
    server: ListeningPbx

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "/spy/" in self.path:
            asked = json.loads(body)
            self.server.spied.append((str(asked["dst"]), time.time_ns() // 1_000_000))
        answer = b'{"result": "success"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST  # noqa: N815 (the name that the standard library looks for)

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


def settings_of(pbx: ListeningPbx) -> dict[str, str]:
    """Of a site that acts through this PBX."""
    return {
        "PITWALL_PBX_URL": pbx.url,
        "PITWALL_PBX_KEY": "k" * 24,
        "PITWALL_PBX_DOMAIN": "example.com",
    }


def audited(folder: Path, kills: int, seed: int = 3) -> dict[str, object]:
    """Kill it while somebody clicks Listen; compare what the PBX heard with the audit."""
    chance, pbx, clicks = random.Random(seed), ListeningPbx(), Counter[int]()
    site = Site(folder, **settings_of(pbx))
    site.start()
    cookie = sign_in(site)
    site.stop()
    for number in range(kills):
        fault = f"{POINTS[number % len(POINTS)]}:{chance.randint(60, 160)}"
        site.launch(PITWALL_TEST_FAULT=fault)
        click_until_dead(site, cookie, chance, clicks)
    intents = Counter[str]()
    with site.copy() as connection:
        sql = "SELECT extension FROM audit WHERE kind = 'intent' AND action = 'listen'"
        intents.update(extension for (extension,) in connection.execute(sql))
    pbx.close()
    asked = Counter(extension for extension, _ in pbx.spied)
    return {
        "clicks": dict(clicks),
        "asked of the PBX": sum(asked.values()),
        "intents in the audit": sum(intents.values()),
        "asked without an intent": sum((asked - intents).values()),
    }


def click_until_dead(site: Site, cookie: str, chance: random.Random, clicks: Counter[int]) -> None:
    """Calls come, and somebody listens to each of them, until the process dies."""
    deadline = time.monotonic() + 30
    while site.is_running and time.monotonic() < deadline:
        callid, extension = f"s{chance.randrange(10**9)}", str(chance.choice(AGENTS))
        if site.status(ring(callid, extension, "ANSWER")) == 200:
            wish = {"extension": extension, "callid": callid, "mode": "listen"}
            clicks[click(site, cookie, "spy", reason="Training", **wish).status] += 1
    if site.is_running:
        site.kill()


def r22_audit(folder: Path, options: argparse.Namespace) -> Judged:
    found = audited(folder, options.audits)
    return bool(found["asked of the PBX"] and not found["asked without an intent"]), told(found)


TRIALS = (r22_audit,)
