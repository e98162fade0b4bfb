"""`make cluster-demo`: three NATS servers, three nodes, nginx, and a simulated PBX for each site.

`python -m tests.cluster.demo [--sites N] [--agents N] [--port N]`; end it with Ctrl-C.
"""

import argparse
import contextlib
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.cluster.boards import add_user
from tests.cluster.installation import Installation, Node, Tenant
from tests.nats_servers import Server, free_ports
from tests.running import PASSWORD, ROOT

NAMES = "acme bravo cedar delta elm".split()
KEY = "demo-key"


def tenants(count: int) -> list[tuple[Tenant, int]]:
    """Sites with a webhook token and a PBX of their own, and that PBX's port."""
    found = []
    for number, (name, port) in enumerate(zip(NAMES[:count], free_ports(count), strict=True)):
        pbx = f"http://127.0.0.1:{port}"
        more = (
            ("PITWALL_PBX_URL", pbx),
            ("PITWALL_PBX_DATA_URL", pbx),
            ("PITWALL_PBX_DOMAIN", f"{name}.example"),
            ("PITWALL_PBX_KEY", KEY),
            ("PITWALL_LANGUAGE", "vi" if number % 2 else "en"),
        )
        found.append((Tenant(name, secrets.token_urlsafe(30), more), port))
    return found


def exchange(installation: Installation, site: Tenant, port: int, agents: int) -> list[str]:
    """The words that start the site's PBX, which sends its webhooks through the balancer."""
    options = {
        "--target": f"{installation.url(site)}/hook/{site.token}",
        "--agents": agents,
        "--port": port,
        "--key": KEY,
        "--seed": port,
    }
    words = [str(word) for pair in options.items() for word in pair]
    return [sys.executable, "-m", "app.simulator", *words]


def story(installation: Installation) -> str:
    """What to open, and what to kill."""
    boards = "".join(f"  {installation.url(site)}\n" for site in installation.sites)
    parts = [(node.name, node.process) for node in installation.nodes]
    parts += [(f"NATS server {one.name}", one.process) for one in installation.servers.each]
    kills = "".join(f"  kill -9 {process.pid:<8} {name}\n" for name, process in parts if process)
    return (
        f"The boards (sign in as ann with the password: {PASSWORD}):\n{boards}\n"
        f"Kill any one of these and watch; it is started again after ten seconds:\n{kills}\n"
        "Ctrl-C ends everything."
    )


def revive(installation: Installation) -> None:
    """Wait until something was killed, leave it dead for a while, and start it again."""
    watched: list[Node | Server] = [*installation.nodes, *installation.servers.each]
    while True:
        time.sleep(10)
        for one in watched:
            if one.process is not None and one.process.poll() is not None:
                one.start()
                print(f"{one.name} is started again as {one.process.pid}.", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.demo")
    parser.add_argument("--sites", type=int, default=3, choices=range(1, len(NAMES) + 1))
    parser.add_argument("--agents", type=int, default=24)
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    found = tenants(options.sites)
    exchanges: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryDirectory(prefix="pitwall-demo-") as folder:
        sites = [site for site, _ in found]
        with Installation.of(Path(folder), sites, port=options.port) as installation:
            try:
                for site, port in found:
                    add_user(installation.nodes[0], site.name, "ann", "admin")
                    words = exchange(installation, site, port, options.agents)
                    exchanges.append(subprocess.Popen(words, cwd=ROOT))
                print(story(installation), flush=True)
                with contextlib.suppress(KeyboardInterrupt):
                    revive(installation)
            finally:
                for process in exchanges:
                    process.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
