"""The address of a log on NATS servers: `nats://HOST,HOST,HOST?name=pitwall&monitoring=8222`.

`name` tells several installations on the same servers apart. `monitoring` is the port, or one for
each server, at which the servers tell about themselves.
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

SCHEME = "nats://"
CLIENT_PORT = 4222
MONITORING_PORT = "8222"
HOST = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")
NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
# One is for trials. Two are no better than one: a majority of two is two.
COUNTS = (1, 3)


@dataclass(frozen=True, slots=True)
class Address:
    """`servers` and `monitoring` are HOST:PORT, one for each server, in the same order."""

    servers: tuple[str, ...]
    monitoring: tuple[str, ...]
    name: str = "pitwall"

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Raises ValueError with what is expected."""
        hosts, _, query = url.removeprefix(SCHEME).partition("?")
        found = [HOST.fullmatch(host) for host in hosts.split(",")]
        servers = [(match[1], int(match[2] or CLIENT_PORT)) for match in found if match]
        options = {"name": "pitwall", "monitoring": MONITORING_PORT} | dict(parse_qsl(query))
        ports = options.pop("monitoring").split(",")
        ports = ports * len(servers) if len(ports) == 1 else ports
        name = options.pop("name")
        if not url.startswith(SCHEME) or len(servers) != len(found) or len(servers) not in COUNTS:
            raise ValueError("one server or three are expected: nats://HOST,HOST,HOST")
        if len(ports) != len(servers) or not all(re.fullmatch("[0-9]{1,5}", p) for p in ports):
            raise ValueError("monitoring=PORT is expected, or as many ports as there are servers")
        if options or not NAME.fullmatch(name):
            raise ValueError("only ?name=LETTERS and &monitoring=PORT are expected after the hosts")
        watched = zip(servers, ports, strict=True)
        return cls(
            tuple(f"{host}:{port}" for host, port in servers),
            tuple(f"{host}:{port}" for (host, _), port in watched),
            name,
        )
