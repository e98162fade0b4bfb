"""The simulator as a process of its own, for tests that drive pages against it."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import Any

from tests.running import ROOT

KEY = "k/1+2 %ü=="


class SimulatedPbx:
    """Six agents whose talks go on and on; `heard` is what its API was asked to do."""

    def __init__(self, port: int, target: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._words = ["--port", str(port), "--target", target, "--key", KEY]
        self._words += ["--agents", "6", "--talk", "3600", "--load", "3", "--queues", "1"]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return once its API answers."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "app.simulator", *self._words],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 20
        while not self._answers():
            assert time.monotonic() < deadline, "the simulator did not start"
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(15)

    def heard(self, call: str) -> list[Any]:
        """The bodies (or paths) of the requests whose path has this in it."""
        entries = self.ask("/sim/requests")["requests"]
        mine = [each for each in entries if call in each["path"]]
        return [each["path"] if each["method"] == "GET" else each["body"] for each in mine]

    def ask(self, path: str, **body: object) -> Any:
        """One of the simulator's own endpoints; with a body it is a POST."""
        content = json.dumps(body).encode() if body else None
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, content, headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def _answers(self) -> bool:
        try:
            return bool(self.ask("/sim/requests"))
        except (urllib.error.URLError, OSError):
            return False
