"""The address of a log on NATS servers: `nats://HOST,HOST,HOST?name=pitwall&monitoring=8222`.

Options after the hosts:
- `name` tells several installations on the same servers apart.
- `monitoring` is the port, or one for each server, at which the servers tell about themselves.
- `partitions` is how many streams the sites share; it can't change once the installation is there.
- `days` is after how many days events go; without it they stay.
- `credentials` is a file with `USER:PASSWORD` or a token: the address itself holds no secret.
- `tls` is a file of certificates that the servers' are checked against, or `yes` for the system's.
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

SCHEME = "nats://"
CLIENT_PORT = 4222
MONITORING_PORT = "8222"
PARTITIONS = "32"
HOST = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")
NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
NUMBER = re.compile(r"[1-9][0-9]{0,3}")
# One is for trials. Two are no better than one: a majority of two is two.
COUNTS = (1, 3)
OPTIONS = {"name", "monitoring", "partitions", "days", "credentials", "tls"}


@dataclass(frozen=True, slots=True)
class Address:
    """`servers` and `monitoring` are HOST:PORT, one for each server, in the same order.

    `days` is 0 for events that stay; `credentials` and `tls` are paths, "" for none.
    """

    servers: tuple[str, ...]
    monitoring: tuple[str, ...]
    name: str = "pitwall"
    partitions: int = int(PARTITIONS)
    days: int = 0
    credentials: str = ""
    tls: str = ""

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Raises ValueError with what is expected."""
        hosts, _, query = url.removeprefix(SCHEME).partition("?")
        found = [HOST.fullmatch(host) for host in hosts.split(",")]
        servers = [(match[1], int(match[2] or CLIENT_PORT)) for match in found if match]
        if not url.startswith(SCHEME) or len(servers) != len(found) or len(servers) not in COUNTS:
            raise ValueError("one server or three are expected: nats://HOST,HOST,HOST")
        told = dict(parse_qsl(query, keep_blank_values=True))
        if not set(told) <= OPTIONS:
            raise ValueError(f"only {', '.join(sorted(OPTIONS))} are expected after the hosts")
        ports = _ports(told.get("monitoring", MONITORING_PORT), len(servers))
        watched = zip(servers, ports, strict=True)
        return cls(
            tuple(f"{host}:{port}" for host, port in servers),
            tuple(f"{host}:{port}" for (host, _), port in watched),
            _name(told.get("name", "pitwall")),
            _number("partitions", told.get("partitions", PARTITIONS)),
            _number("days", told["days"]) if "days" in told else 0,
            told.get("credentials", ""),
            told.get("tls", ""),
        )


def _ports(told: str, servers: int) -> list[str]:
    ports = told.split(",")
    ports = ports * servers if len(ports) == 1 else ports
    if len(ports) != servers or not all(re.fullmatch("[0-9]{1,5}", port) for port in ports):
        raise ValueError("monitoring=PORT is expected, or as many ports as there are servers")
    return ports


def _name(told: str) -> str:
    if not NAME.fullmatch(told):
        raise ValueError("?name=LETTERS is expected")
    return told


def _number(option: str, told: str) -> int:
    if not NUMBER.fullmatch(told):
        raise ValueError(f"{option}=NUMBER is expected, from 1 to 9999")
    return int(told)
