"""A server under webhooks while strace writes down what it asks of the kernel; reads that back."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.site import Site
from tests.waiting import wait_for

TRACED = "trace=recvfrom,read,write,writev,sendto,sendmsg,pwrite64,ftruncate,fdatasync,fsync"
SYNCS = frozenset({"fdatasync", "fsync"})
LINE = re.compile(r"(?P<thread>\d+) +(?P<text>.*)")
RESUMED = re.compile(r"<\.\.\. \w+ resumed>")
UNFINISHED = " <unfinished ...>"
CALL = re.compile(
    r"(?P<name>\w+)\(\d+<(?P<path>[^>]*)>(?:, \"(?P<data>[^\"]*)\")?"
    r"(?:, (?P<one>\d+))?(?:, (?P<two>\d+))?.*\) += (?P<result>-?\d+)"
)
ANSWER = b"HTTP/1.1 200 OK"


@dataclass(frozen=True)
class Done:
    """A system call: the lines of the trace at which it began and ended, and what it was told."""

    began: int
    ended: int
    name: str
    path: str
    data: bytes
    numbers: tuple[int, ...]

    @property
    def is_answer(self) -> bool:
        """It acknowledges a webhook."""
        return self.data.startswith(ANSWER) and b'"seq"' in self.data


def strace() -> str | None:
    """Where strace is, if it is."""
    return shutil.which("strace")


def traced(site: Site, webhooks: int) -> list[Done]:
    """What the server asked of the kernel from its start to its end, with so many webhooks."""
    trace = site.folder / "trace"
    tracing = [strace() or "strace", "-D", "-f", "-y", "-xx", "-s", "1000000", "-e", TRACED]
    site.launch([*tracing, "-o", str(trace)])
    site.wait_ready()
    for number in range(webhooks):
        assert site.hook(f"w{number}") == 200
    site.stop()
    # The tracer writes on for a moment; last ends the first thread, which has the process's number.
    over = re.compile(rf"^{site.process.pid} .*\+\+\+$", re.MULTILINE)
    wait_for(lambda: over.search(trace.read_text()[-10_000:]), 60)
    return list(calls_in(trace))


def calls_in(trace: Path) -> Iterator[Done]:
    """The traced calls, in the order of their ends; two lines where another thread came between."""
    begun: dict[str, tuple[int, str]] = {}
    with trace.open() as lines:
        for number, line in enumerate(lines):
            found = LINE.match(line)
            if found is None:
                continue
            thread, text = found["thread"], found["text"]
            if text.endswith(UNFINISHED):
                begun[thread] = (number, text.removesuffix(UNFINISHED))
                continue
            began = number
            if RESUMED.match(text) and thread in begun:
                began, before = begun.pop(thread)
                text = before + RESUMED.sub("", text, count=1)
            call = CALL.match(text)
            if call is not None and int(call["result"]) >= 0:
                told = tuple(int(one) for one in (call["one"], call["two"]) if one is not None)
                path = plain(call["path"]).decode()
                yield Done(began, number, call["name"], path, plain(call["data"] or ""), told)


def plain(text: str) -> bytes:
    """`\\x41b` as strace writes it with -xx, or as it stands."""
    return bytes.fromhex(text.replace("\\x", "")) if text.startswith("\\x") else text.encode()
