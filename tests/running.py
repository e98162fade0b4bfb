"""The whole application as a process of its own, and a PBX that talks to it."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode

from app import people
from app.access import Access
from app.rights import Role
from app.settings import Settings

ROOT = Path(__file__).parent.parent
TOKEN = "t" * 43
PASSWORD = "correct horse battery"


class Process(Protocol):
    """What is used of a `subprocess.Popen`."""

    pid: int

    def poll(self) -> int | None: ...
    def wait(self, timeout: float) -> int: ...
    def send_signal(self, number: signal.Signals) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


class Pitwall:
    """`python -m app serve` on `port`, its database in `folder`; may be stopped and started."""

    def __init__(
        self, port: int, folder: Path, program: tuple[str, ...] = ("app", "serve"), **settings: str
    ) -> None:
        self.port = port
        self._program = program
        self.url = f"http://127.0.0.1:{port}"
        self._environ = {
            **os.environ,
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "PITWALL_LOG": f"sqlite:{folder / 'pitwall.db'}",
            "PITWALL_WEBHOOK_TOKEN": TOKEN,
            "PITWALL_TIMEZONE": "Asia/Ho_Chi_Minh",
            **settings,
        }
        self._output = folder / "output.txt"
        self._process: Process | None = None

    def start(self) -> None:
        """Return once it answers."""
        self._process = self._spawned()
        deadline = time.monotonic() + 20
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise AssertionError(self._output.read_text()[-2000:])
            time.sleep(0.05)

    def add_user(self, name: str, role: str, extension: str = "") -> None:
        """An account with `PASSWORD`, as the command `user add` makes it."""

        async def add(access: Access) -> str:
            return await people.add(access, name, Role(role), extension, PASSWORD)

        adding = people.with_access(Settings.from_env(self._environ), add)
        # In a thread of its own: in a browser's tests a loop runs in this one.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, adding).result()

    def stop(self) -> None:
        """End it in an orderly way, frozen or not."""
        if self._process is not None and self._process.poll() is None:
            self.signal(signal.SIGCONT)
            self._process.terminate()
            self._process.wait(15)

    def kill(self) -> None:
        """End it as a crash does: nothing is tidied up, connections just end."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(15)

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        assert self._process is not None
        self._process.send_signal(number)

    def hook(self, path: str, **parameters: str) -> None:
        """What the PBX says: `path` is one of the webhooks' paths after `/api`."""
        url = f"{self.url}/hook/{TOKEN}/api{path}?{urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            assert answer.status == 200

    def _spawned(self) -> Process:
        with self._output.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", *self._program],
                cwd=ROOT,
                env=self._environ,
                stdout=output,
                stderr=output,
            )

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health/live", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False
