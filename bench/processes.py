"""The processes of a measurement: started, pinned to a core, asked, and always ended again."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from bench.measure import cpu_ns, memory_kib, peak_kib

ROOT = Path(__file__).parent.parent
START_S = 60.0
ANSWER_S = 120.0
# All that this machine lets us use, before the sender is kept off the first one.
CORES = frozenset(os.sched_getaffinity(0))


class Process:
    """One program that answers each line of JSON on its standard input with another."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = process.pid

    async def ask(self, **question: Any) -> dict[str, Any]:
        """Send a question and return the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        return await self.hear(ANSWER_S)

    async def hear(self, patience_s: float) -> dict[str, Any]:
        """The next line that it says of its own accord."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), patience_s)
        if not line:
            raise RuntimeError(f"Process {self.pid} ended early; what it said is above.")
        return dict(json.loads(line))

    def cpu_ns(self) -> int:
        """CPU time so far, in nanoseconds."""
        return cpu_ns(self.pid)

    def memory_kib(self) -> int:
        """Memory in use now, in KiB."""
        return memory_kib(self.pid)

    def peak_kib(self) -> int:
        """The most memory that was ever in use, in KiB."""
        return peak_kib(self.pid)

    async def end(self) -> None:
        """Ask it to stop, and make it."""
        if self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), 15)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


@contextlib.asynccontextmanager
async def running(
    *words: object,
    core: int | None = None,
    environ: Mapping[str, str] | None = None,
    start_s: float = START_S,
) -> AsyncIterator[tuple[Process, dict[str, Any]]]:
    """`python -m …` with these words; with it comes the line it says when it is ready.

    It runs on this core alone, or on all of them.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *map(str, words),
        cwd=ROOT,
        env={**os.environ, **(environ or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        limit=2**24,
    )
    # Otherwise it would inherit where the sender may run, and share that core with it.
    os.sched_setaffinity(process.pid, CORES if core is None else CORES & {core} or CORES)
    started = Process(process)
    try:
        yield started, await started.hear(start_s)
    finally:
        await started.end()


def free_port() -> int:
    """A port of loopback on which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def say(**answer: Any) -> None:
    """What a measured program tells its starter."""
    print(json.dumps(answer), flush=True)


async def questions() -> AsyncIterator[dict[str, Any]]:
    """What the starter asks, until it goes away."""
    reader = asyncio.StreamReader(limit=2**24)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield json.loads(line)
