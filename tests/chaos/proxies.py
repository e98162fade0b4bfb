"""nginx and Caddy before Pitwall, with the files in `deploy/`: TLS, WebSocket, addresses, secrets.

`python -m tests.chaos.proxies` tries both and fails where one is not installed, unless
`--allow-skips` is given; nothing of the machine is touched.
"""

import argparse
import asyncio
import contextlib
import http.client
import shutil
import ssl
import subprocess
import sys
import tempfile
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from tests.chaos.site import PASSWORD, ROOT, TOKEN, Site, free_port, ring
from tests.waiting import SIGN_IN_S, wait_for

CLIENT = "127.0.0.2"
FORGED = "198.51.100.77"


class Front:
    """A proxy that was started: its port and where it writes what it has to say."""

    def __init__(self, folder: Path, site: Site) -> None:
        self.folder = folder
        self.site = site
        self.port = free_port()
        self.certificate = folder / "pitwall.pem"
        make_certificate(folder)
        self.tls = ssl.create_default_context(cafile=str(self.certificate))

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def ask(
        self, path: str, method: str = "GET", body: str | None = None, **headers: str
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """From another address than the proxy's own, with a header that lies about it."""
        connection = http.client.HTTPSConnection(
            "localhost", self.port, timeout=10, context=self.tls, source_address=(CLIENT, 0)
        )
        try:
            connection.request(method, path, body, {"X-Forwarded-For": FORGED, **headers})
            answer = connection.getresponse()
            try:
                said = answer.read()
            except http.client.IncompleteRead as cut:
                # Caddy stops sending a body over its own limit, and may drop the answer's end.
                said = cut.partial
            return answer.status, answer.headers, said
        finally:
            connection.close()

    def is_up(self) -> bool:
        try:
            return self.ask("/health/live")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    @property
    def written(self) -> str:
        """Every file that the proxy wrote."""
        files = (each for each in self.folder.rglob("*.log") if each.is_file())
        return "\n".join(each.read_text(errors="replace") for each in files)


def make_certificate(folder: Path) -> None:
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost".split()
    names = ["-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(folder / "pitwall.key"), "-out", str(folder / "pitwall.pem")]
    subprocess.run(["openssl", *words, *names, *files], check=True, capture_output=True)


def nginx_words(front: Front) -> list[str]:
    """`deploy/nginx.conf` as it is, but for names and ports, inside the least frame there is."""
    server = (ROOT / "deploy" / "nginx.conf").read_text()
    for old, new in {
        "listen 443 ssl": f"listen 127.0.0.1:{front.port} ssl",
        "wall.example.com": "localhost",
        "/etc/ssl/": f"{front.folder}/",
        "127.0.0.1:8000": f"127.0.0.1:{front.site.port}",
    }.items():
        assert old in server, old
        server = server.replace(old, new)
    paths = "".join(
        f"{kind}_temp_path {front.folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    frame = (
        f"daemon off; pid {front.folder}/nginx.pid; error_log {front.folder}/error.log info;\n"
        f"events {{}}\nhttp {{\naccess_log {front.folder}/access.log;\n{paths}{server}\n}}\n"
    )
    config = front.folder / "nginx.conf"
    config.write_text(frame)
    return ["nginx", "-c", str(config), "-p", str(front.folder)]


def caddy_words(front: Front) -> list[str]:
    """`deploy/Caddyfile` as it is, but for names and ports, and a certificate of our own."""
    config = (ROOT / "deploy" / "Caddyfile").read_text()
    tls = f"\ttls {front.folder}/pitwall.pem {front.folder}/pitwall.key\n\tlog\n"
    for old, new in {
        "\twall.example.com {\n".strip("\t"): f"https://localhost:{front.port} {{\n{tls}",
        "127.0.0.1:8000": f"127.0.0.1:{front.site.port}",
        "\tservers {": "\tadmin off\n\tauto_https disable_redirects\n\tservers {",
    }.items():
        assert old in config, old
        config = config.replace(old, new, 1)
    path = front.folder / "Caddyfile"
    path.write_text(config)
    return ["caddy", "run", "--config", str(path), "--adapter", "caddyfile"]


FRONTS: dict[str, Callable[[Front], list[str]]] = {"nginx": nginx_words, "caddy": caddy_words}


@contextlib.contextmanager
def running(name: str, folder: Path) -> Iterator[Front]:
    """Pitwall, and the proxy before it."""
    place = folder / name
    place.mkdir(mode=0o755)
    site = Site(place)
    front = Front(place, site)
    site.settings["PITWALL_PUBLIC_URL"] = front.url
    site.settings["PITWALL_TRUSTED_PROXY"] = "127.0.0.1/32"
    with (place / "process.log").open("wb") as output:
        process = subprocess.Popen(
            FRONTS[name](front), stdout=output, stderr=output, env={"HOME": str(place), **PATHS}
        )
        try:
            site.start()
            wait_for(front.is_up, 20)
            yield front
        finally:
            site.stop()
            process.terminate()
            process.wait(20)


PATHS = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def try_out(name: str, folder: Path) -> dict[str, bool]:
    """What must hold behind that proxy, by what it is."""
    with running(name, folder) as front:
        page = front.ask("/login")
        webhook = front.ask(ring("p1"))
        made = front.site.command("user", "add", "ann", standard_input=f"{PASSWORD}\n".encode())
        assert made.returncode == 0, made.stderr
        wait_for(lambda: bool(signed_in(front)), 20, every_s=SIGN_IN_S)
        cookie = signed_in(front)[0]
        frame = first_frame(front, cookie)
        strange = is_refused(front, cookie)
        large = front.ask(f"/hook/{TOKEN}/api/callcenter/call_in", "POST", "x" * 2_000_000)
        front.site.stop()
        while_down = front.ask(ring("p2"))
        with front.site.copy() as connection:
            audited = {row[0] for row in connection.execute("SELECT address FROM audit")}
        return {
            "the page comes over TLS": page[0] == 200 and b"<form" in page[2],
            "it has its headers": "content-security-policy" in page[1],
            "a webhook is stored": webhook[0] == 200 and b'"seq"' in webhook[2],
            "the board is live over a WebSocket": 'id="beat"' in frame,
            "another origin's WebSocket is refused": strange,
            "a body that is too large is refused": large[0] in (400, 413, 502),
            "the client's address is in the audit": CLIENT in audited,
            "a forged address is not": FORGED not in audited,
            "without Pitwall it says so": while_down[0] in (502, 503),
            "the webhook's secret is in no log": TOKEN not in front.written,
        }


def signed_in(front: Front) -> list[str]:
    form = urllib.parse.urlencode({"username": "ann", "password": PASSWORD})
    kind = "application/x-www-form-urlencoded"
    headers = {"Origin": front.url, "Content-Type": kind}
    answer = front.ask("/login", "POST", form, **headers)
    return [cookie.partition(";")[0] for cookie in answer[1].get_all("Set-Cookie") or []]


def first_frame(front: Front, cookie: str) -> str:
    return asyncio.run(_first_frame(front, cookie, front.url))


def is_refused(front: Front, cookie: str) -> bool:
    try:
        asyncio.run(_first_frame(front, cookie, "https://elsewhere.example"))
    except InvalidStatus as refusal:
        return refusal.response.status_code == 403
    return False


async def _first_frame(front: Front, cookie: str, origin: str) -> str:
    """What a board is sent first. Raises InvalidStatus when it is turned away.

    No thread of its own for what arrives: that one and the sender's spoil each other's TLS.
    """
    address = f"wss://localhost:{front.port}/live?order=extension"
    told = {"Cookie": cookie}
    async with (
        asyncio.timeout(10),
        connect(
            address, ssl=front.tls, origin=Origin(origin), additional_headers=told, proxy=None
        ) as viewer,
    ):
        return str(await viewer.recv())


def installed() -> list[str]:
    search = PATHS["PATH"]
    return [name for name in FRONTS if shutil.which(name, path=search) and shutil.which("openssl")]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.proxies")
    parser.add_argument("--allow-skips", action="store_true", help="do not fail where one lacks")
    options, failed = parser.parse_args(), False
    for name in FRONTS:
        if name not in installed():
            print(f"{name} is not installed; on Debian: apt-get install {name} openssl")
            failed = failed or not options.allow_skips
            continue
        with tempfile.TemporaryDirectory(prefix="pitwall-") as folder:
            Path(folder).chmod(0o755)
            for what, holds in try_out(name, Path(folder)).items():
                failed = failed or not holds
                print(f"{name}: {what}: {'yes' if holds else 'NO'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
