"""One Pitwall as a process that may be killed, stopped, starved and started again."""

import contextlib
import http.client
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).parent.parent.parent
TOKEN = "t" * 43
API_TOKEN = "a-token-for-programs-only-0123456789"
PASSWORD = "correct horse battery"
BESIDE = ("", "-wal")
# The socket becomes the descriptor 3, where a service manager puts it.
HAND_OVER = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3, True); os.execv(sys.argv[2], sys.argv[2:])"
)


class Site:
    """`python -m app serve` on a port of its own; the database lies in `folder`."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.database = folder / "pitwall.db"
        self.output = folder / "output.txt"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._held: socket.socket | None = None

    @property
    def environ(self) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if "PITWALL" not in name},
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "PITWALL_LOG": f"sqlite:{self.database}",
            "PITWALL_WEBHOOK_TOKEN": TOKEN,
            "PITWALL_API_TOKEN": API_TOKEN,
            "PITWALL_TIMEZONE": "Asia/Ho_Chi_Minh",
            **self.settings,
        }

    def hold_socket(self) -> None:
        """Keep the listening socket open from now on, as a service manager does."""
        self._held = socket.create_server(("127.0.0.1", self.port), backlog=2048)

    def release_socket(self) -> None:
        """Let it go again."""
        if self._held is not None:
            self._held.close()
            self._held = None

    def launch(self, before: Sequence[str] = (), **more: str) -> None:
        """Start the process and return at once."""
        environ, held = {**self.environ, **more}, self._held
        if held is not None:
            environ["LISTEN_FDS"] = "1"
            before = [*before, sys.executable, "-c", HAND_OVER, str(held.fileno())]
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                [*before, sys.executable, "-m", "app", "serve"],
                cwd=ROOT,
                env=environ,
                stdout=output,
                stderr=output,
                pass_fds=[] if held is None else [held.fileno()],
            )

    def start(self, patience_s: float = 60, before: Sequence[str] = (), **more: str) -> float:
        """Start; return after how many seconds it was ready."""
        began = time.monotonic()
        self.launch(before, **more)
        self.wait_ready(patience_s)
        return time.monotonic() - began

    def wait_ready(self, patience_s: float = 60) -> None:
        deadline = time.monotonic() + patience_s
        while self.status("/health/ready") != 200:
            assert self.is_running, self.said[-3000:]
            assert time.monotonic() < deadline, f"not ready\n{self.said[-3000:]}"
            time.sleep(0.02)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def said(self) -> str:
        """What the process printed, all of its lives."""
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    def kill(self) -> None:
        """Pull the plug."""
        self.process.kill()
        self.process.wait(20)

    def stop(self) -> float:
        """End it in an orderly way; return how long that took, in seconds."""
        if not self.is_running:
            return 0.0
        began = time.monotonic()
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self.process.wait(30)
        return time.monotonic() - began

    def wait_for_death(self, patience_s: float) -> bool:
        try:
            self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def status(self, path: str, timeout: float = 5) -> int:
        """The status of a GET; 0 where nobody answers."""
        try:
            return self.get(path, timeout)[0]
        except (OSError, http.client.HTTPException):
            return 0

    def get(self, path: str, timeout: float = 5) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {API_TOKEN}"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def floor(self) -> dict[str, Any]:
        """`/api/v1/floor`."""
        status, body = self.get("/api/v1/floor", 20)
        assert status == 200
        floor: dict[str, Any] = json.loads(body)
        return floor

    def metric(self, line: str) -> float:
        _, body = self.get("/metrics", 20)
        found = [each for each in body.decode().splitlines() if each.startswith(line)]
        return float(found[0].rpartition(" ")[2]) if found else 0.0

    def hook(self, callid: str, timeout: float = 20) -> int:
        """A webhook on a connection of its own; the status of the answer, 0 for none."""
        try:
            return self.get(ring(callid), timeout)[0]
        except (OSError, http.client.HTTPException):
            return 0

    def command(self, *words: str, standard_input: bytes = b"") -> subprocess.CompletedProcess[str]:
        """One of the program's commands, on this database."""
        return subprocess.run(
            [sys.executable, "-m", "app", *words],
            cwd=ROOT,
            env=self.environ,
            input=standard_input.decode(),
            capture_output=True,
            text=True,
            check=False,
        )

    @contextlib.contextmanager
    def copy(self) -> Iterator[sqlite3.Connection]:
        """The database as it lies on the disk, opened elsewhere: the original is not recovered."""
        elsewhere = self.folder / "copy"
        elsewhere.mkdir(exist_ok=True)
        for suffix in BESIDE:
            source = self.database.with_name(self.database.name + suffix)
            target = elsewhere / source.name
            target.unlink(missing_ok=True)
            if source.exists():
                shutil.copyfile(source, target)
        with contextlib.closing(sqlite3.connect(elsewhere / self.database.name)) as connection:
            yield connection
        shutil.rmtree(elsewhere)

    def kept(self) -> tuple[list[str], bool]:
        """The calls in the database as it lies on the disk, and whether the file is whole."""
        with self.copy() as connection:
            return stored_calls(connection), is_whole(connection)


def ring(callid: str, extension: str = "", event: str = "RING") -> str:
    """The path of a webhook that tells of a call, at any agent where none is named."""
    at = extension or agent_of(callid)
    told = {"callid": callid, "queue": "999", "extension": at, "event": event}
    return _webhook("callcenter/call_in", **told, phone="0938363739")


def end(callid: str) -> str:
    """The path of the webhook that tells of a call's end."""
    return _webhook("callcenter/hangup", callid=callid)


def state(extension: str, status: str) -> str:
    """The path of the webhook that tells what an agent's phone does."""
    return _webhook("Agent/ChangeStatus", extension=extension, status=status)


def agent_of(callid: str) -> str:
    """Of forty agents always the same one for a call."""
    return str(100 + sum(callid.encode()) % 40)


def _webhook(path: str, **told: str) -> str:
    return f"/hook/{TOKEN}/api/{path}?{urlencode(told)}"


def free_port() -> int:
    """Below those that the kernel gives away: it must still be free at the next start."""
    while True:
        port = random.randrange(12_000, 30_000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def stored_calls(connection: sqlite3.Connection) -> list[str]:
    """The call id of every event that a webhook of `ring` became, in order."""
    sql = "SELECT body FROM event WHERE kind = 'call_ringing' ORDER BY seq"
    return [json.loads(body)["callid"] for (body,) in connection.execute(sql)]


def is_whole(connection: sqlite3.Connection) -> bool:
    found = connection.execute("PRAGMA integrity_check").fetchall()
    return bool(found == [("ok",)])
