"""An installation of several machines on this one: NATS servers, nodes, nginx, sites by name."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.nats_servers import Servers, free_ports
from tests.running import ROOT
from tests.waiting import wait_for

PATIENCE_S = 60.0
NGINX = ROOT / "deploy" / "cluster" / "nginx.conf"
LINE = re.compile(r"    server node\d\.example\.com:8000.*\n")
NODE = re.compile(r"node\d\.example\.com:8000")


@dataclass(frozen=True)
class Tenant:
    """A site: its name, its webhook token, and what else its file says."""

    name: str
    token: str
    more: tuple[tuple[str, str], ...] = ()

    def host(self, port: int) -> str:
        return f"{self.name}.localhost:{port}"

    def hook(self, path: str) -> str:
        """The address of a webhook, below the host."""
        return f"/hook/{self.token}/api{path}"


@dataclass
class Node:
    """One `python -m app serve` with a folder of its own. `within`: as of a `Server`."""

    name: str
    port: int
    folder: Path
    environ: dict[str, str]
    host: str = "127.0.0.1"
    within: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and go on; `wait` returns once it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "output.txt").open("ab") as output:
            self.process = subprocess.Popen(
                [*self.within, sys.executable, "-m", "app", "serve"],
                cwd=self.folder,
                env=self.environ,
                stdout=output,
                stderr=output,
            )

    def wait(self) -> None:
        wait_for(lambda: self.is_up, PATIENCE_S, lambda: f"{self.name}: {self.output[-3000:]}")

    def command(self, *words: str, standard_input: str = "") -> str:
        """A command of the administrator's on this machine."""
        done = subprocess.run(
            [*self.within, sys.executable, "-m", "app", *words],
            cwd=self.folder,
            env=self.environ,
            input=standard_input,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def output(self) -> str:
        return (self.folder / "output.txt").read_text(errors="replace")

    @property
    def is_up(self) -> bool:
        return answers(self.port, "/health/live", self.host)

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self.process is None:
            return
        self.process.send_signal(number)
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass
class Balancer:
    """nginx with `deploy/cluster/nginx.conf`, but for names, ports and TLS."""

    port: int
    folder: Path
    nodes: list[int]
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "nginx.conf"
        config.write_text(self._config())
        with (self.folder / "output.txt").open("wb") as output:
            self.process = subprocess.Popen(
                ["nginx", "-c", str(config), "-p", str(self.folder)],
                stdout=output,
                stderr=output,
                env={**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin"},
            )

    def end(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)

    def _config(self) -> str:
        server = NGINX.read_text()
        changes = {
            "listen 443 ssl": f"listen 127.0.0.1:{self.port}",
            "*.wall.example.com;": "*.localhost;",
            "    ssl_certificate /etc/ssl/pitwall.pem;\n": "",
            "    ssl_certificate_key /etc/ssl/pitwall.key;\n": "",
            "    ssl_protocols TLSv1.2 TLSv1.3;\n": "",
        }
        for old, new in changes.items():
            assert old in server, old
            server = server.replace(old, new)
        for _ in range(3 - len(self.nodes)):
            server = LINE.sub("", server, count=1)
        for port in self.nodes:
            server = NODE.sub(f"127.0.0.1:{port}", server, count=1)
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = "".join(f"{kind}_temp_path {self.folder}/{kind};\n" for kind in kinds)
        return (
            f"daemon off; pid {self.folder}/nginx.pid; error_log {self.folder}/error.log warn;\n"
            f"worker_rlimit_nofile 20000; events {{ worker_connections 18000; }}\n"
            f"http {{\naccess_log off;\n{paths}{server}\n}}\n"
        )


@dataclass
class Installation:
    """All of it. A context: leaving it ends every process."""

    folder: Path
    sites: list[Tenant]
    servers: Servers
    nodes: list[Node]
    balancer: Balancer

    @classmethod
    def of(cls, folder: Path, sites: list[Tenant], nodes: int = 3, port: int = 0) -> Self:
        """Start the NATS servers, and make the rest ready to be started."""
        ports = free_ports(nodes + 1)
        front = port or ports.pop()
        servers = Servers.start(folder / "nats", 3)
        write_sites(folder / "sites", sites, front)
        environ = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "HOST": "127.0.0.1",
            "PITWALL_LOG": servers.url("cluster"),
            "PITWALL_SITES": str(folder / "sites"),
            "PITWALL_TRUSTED_PROXY": "127.0.0.1/32",
        }
        made = [
            Node(f"node{number}", port, folder / f"node{number}", {**environ, "PORT": str(port)})
            for number, port in enumerate(ports[:nodes], 1)
        ]
        balancer = Balancer(front, folder / "nginx", [node.port for node in made])
        return cls(folder, sites, servers, made, balancer)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.push(self.__exit__)
            for node in self.nodes:
                node.start()
            for node in self.nodes:
                node.wait()
            self.balancer.start()
            wait_for(
                lambda: answers(self.balancer.port, "/health/live"),
                PATIENCE_S,
                lambda: "nginx does not answer",
            )
            stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.balancer.end()
        for node in self.nodes:
            node.end(signal.SIGKILL)
        self.servers.end()

    def site(self, name: str) -> Tenant:
        return next(site for site in self.sites if site.name == name)

    def url(self, site: Tenant) -> str:
        return f"http://{site.host(self.balancer.port)}"


def write_sites(folder: Path, sites: list[Tenant], port: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for site in sites:
        lines = {
            "PITWALL_PUBLIC_URL": f"http://{site.host(port)}",
            "PITWALL_WEBHOOK_TOKEN": site.token,
            "PITWALL_TIMEZONE": "Asia/Ho_Chi_Minh",
        } | dict(site.more)
        text = "".join(f"{name}={value}\n" for name, value in lines.items())
        (folder / f"{site.name}.env").write_text(text)


def answers(port: int, path: str, host: str = "127.0.0.1") -> bool:
    try:
        with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
