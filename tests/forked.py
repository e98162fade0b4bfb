"""The whole application as a process that was forked from one that has read all its modules.

Reading them takes most of a start, and a browser's test starts the application a hundred times.
Where the start itself is of interest, or what a process weighs: `tests.running.Pitwall`.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from app.__main__ import main
from tests.running import ROOT, Pitwall

FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(["tests.forked_from"])


class ForkedPitwall(Pitwall):
    """`python -m app serve`, sooner."""

    def _spawned(self) -> "Forked":
        return Forked(self._environ, self._output)


class Forked:
    """As a `subprocess.Popen`."""

    def __init__(self, environ: Mapping[str, str], output: Path) -> None:
        self._process = FORKING.Process(target=_serve, args=(dict(environ), output), daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float) -> int:
        self._process.join(timeout)
        if (code := self._process.exitcode) is None:
            raise TimeoutError(f"Process {self.pid} has not ended within {timeout} s.")
        return code

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _serve(environ: Mapping[str, str], output: Path) -> None:
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environ)
    to = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(to, 1)
    os.dup2(to, 2)
    sys.exit(main(["serve"]))
