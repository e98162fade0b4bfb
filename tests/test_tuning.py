"""What the process asks of the machine it runs on."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Large buffers between small ones that stay: freed, the large ones leave holes in a heap.
HOLES = """
import os
from pathlib import Path
from app.tuning import tune_process

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20

tune_process()
bytearray(8 << 20)
before, small, large = resident(), [], []
for _ in range(100):
    large.append(bytearray(b"x") * (1 << 20))
    small.append(bytearray(b"x") * 5000)
large.clear()
print(resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc, and is about glibc")
def test_large_buffers_leave_no_holes_behind() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HOLES], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert int(done.stdout) < 20


COUNT = """
import resource
from app.tuning import allow_connections

resource.setrlimit(resource.RLIMIT_NOFILE, (64, 128))
allow_connections()
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def test_as_many_connections_are_open_as_the_machine_allows() -> None:
    done = subprocess.run(
        [sys.executable, "-c", COUNT], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert int(done.stdout) == 128


ENUMS = """
from enum import EnumType
from app.tuning import tune_process
from app.domain.states import Status

tune_process()
tune_process()
print(hasattr(EnumType, "__getattr__"), Status.TALK.value, Status["TALK"] is Status("talk"))
print(hasattr(Status, "AWAY"), [status.name for status in Status][0], Status.TALK.upper())
"""


def test_enums_are_looked_up_without_a_fallback_and_mean_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENUMS], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["False", "talk", "True", "False", "OFF", "TALK"]
