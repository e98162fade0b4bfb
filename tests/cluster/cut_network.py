"""Machines on one network as Linux makes them: namespaces on a bridge, whose cables can be pulled.

Needs root. Everything made here has names that begin with `PREFIX`, and goes with `removed`.
"""

import ctypes
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PREFIX = "pwcut"
BRIDGE = f"{PREFIX}-br"
NETWORK = "10.213.77"
# The side of the bridge where the PBX is, and whoever judges.
HUB = f"{NETWORK}.1"
CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass
class Machine:
    """One namespace with one cable to the bridge. `within` starts a program there."""

    name: str
    address: str
    relay: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def namespace(self) -> str:
        return f"{PREFIX}-{self.name}"

    @property
    def cable(self) -> str:
        return f"{self.namespace}0"

    @property
    def within(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.namespace)

    def make(self) -> None:
        run("ip", "netns", "add", self.namespace)
        run(
            "ip",
            "link",
            "add",
            self.cable,
            *"type veth peer name eth0 netns".split(),
            self.namespace,
        )
        run("ip", "link", "set", self.cable, "master", BRIDGE, "up")
        for words in (
            "ip link set lo up",
            f"ip address add {self.address}/24 dev eth0",
            "ip link set eth0 up",
            # A rule that forbids must come before the one that finds the machine's own addresses.
            "ip rule add pref 100 lookup local",
            "ip rule delete pref 0",
        ):
            run(*self.within, *words.split())

    def pull(self) -> None:
        """The cable: nothing leaves and nothing comes, but everything within goes on."""
        run("ip", "link", "set", self.cable, "down")

    def plug(self) -> None:
        run("ip", "link", "set", self.cable, "up")

    def forbid(self, port: int) -> None:
        """Nothing that is sent to this TCP port leaves, not even to the machine itself."""
        self._rule("add", port)

    def allow(self, port: int) -> None:
        self._rule("delete", port)

    def worsen(self, delay_ms: int, lost: float = 0.0) -> None:
        """Each frame, both ways, comes so much later; of those that leave, that share is lost."""
        outer, inner = f"{self.namespace}1", f"{self.namespace}2"
        run("ip", "link", "add", outer, *"type veth peer name".split(), inner)
        run("ip", "link", "set", outer, "master", BRIDGE, "up")
        run("ip", "link", "set", inner, "up")
        words = [self.cable, inner, str(delay_ms), str(lost)]
        relay = [sys.executable, "-m", "tests.cluster.cut_relay", *words]
        self.relay = subprocess.Popen(relay, stdout=subprocess.PIPE)
        assert self.relay.stdout
        assert self.relay.stdout.readline() == b"ready\n"
        run("ip", "link", "set", self.cable, "nomaster")

    def mend(self) -> None:
        """After `worsen`: the plain cable again."""
        if self.relay is not None:
            run("ip", "link", "set", self.cable, "master", BRIDGE)
            self.relay.terminate()
            self.relay.wait(10)
            self.relay = None
            run("ip", "link", "delete", f"{self.namespace}1")

    def socket(self) -> socket.socket:
        """A TCP socket that is in the machine, though this process is not."""
        with _in_namespace(Path("/run/netns") / self.namespace):
            made = socket.socket()
        made.setblocking(False)
        return made

    def _rule(self, deed: str, port: int) -> None:
        rule = f"ip rule {deed} pref 50 ipproto tcp dport {port} blackhole"
        run(*self.within, *rule.split())


def why_not() -> str:
    """Why there can be no such network here; "" where there can."""
    if not sys.platform.startswith("linux") or shutil.which("ip") is None:
        return "it needs Linux and its program `ip`"
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    try:
        run("ip", "netns", "add", f"{PREFIX}-try")
        run("ip", "netns", "delete", f"{PREFIX}-try")
        run("ip", "link", "add", f"{PREFIX}-try", "type", "bridge")
        run("ip", "link", "delete", f"{PREFIX}-try")
    except AssertionError as error:
        return str(error)
    return ""


@contextmanager
def network(names: Sequence[str]) -> Iterator[list[Machine]]:
    """That many machines on one bridge, on which this process has the address `HUB`."""
    removed()
    machines = [Machine(name, f"{NETWORK}.{number}") for number, name in enumerate(names, 11)]
    try:
        run("ip", "link", "add", BRIDGE, "type", "bridge")
        run("ip", "address", "add", f"{HUB}/24", "dev", BRIDGE)
        run("ip", "link", "set", BRIDGE, "up")
        for machine in machines:
            machine.make()
        yield machines
    finally:
        for machine in machines:
            machine.mend()
        removed()


def removed() -> None:
    """Whatever is left of this or of a run before."""
    for entry in Path("/run/netns").glob(f"{PREFIX}-*"):
        run("ip", "netns", "delete", entry.name)
    for entry in Path("/sys/class/net").glob(f"{PREFIX}-*"):
        if entry.exists():
            run("ip", "link", "delete", entry.name)


def run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"`{' '.join(words)}` says: {done.stderr.strip()}"


@contextmanager
def _in_namespace(path: Path) -> Iterator[None]:
    """This thread, and nothing that it started before."""
    with Path("/proc/thread-self/ns/net").open() as here, path.open() as there:
        _enter(there.fileno())
        try:
            yield
        finally:
            _enter(here.fileno())


def _enter(namespace: int) -> None:
    if LIBC.setns(namespace, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
