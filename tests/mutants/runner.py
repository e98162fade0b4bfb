"""Runs tests of a copy of the project in a forked child that has pytest and its kin loaded already.

Starting anew for every break would take longer than most tests do.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

# What tests import, loaded once, before any fork. None of it is what is broken.
import aiohttp  # noqa: F401
import aiosqlite  # noqa: F401
import httpx2  # noqa: F401
import hypothesis  # noqa: F401
import playwright.sync_api  # noqa: F401
import pytest
import starlette.testclient  # noqa: F401
import uvicorn  # noqa: F401

LONGEST_S = 900.0
SEEN, MISSED, HUNG = "seen", "missed", "hung"


def run_tests(place: Path, names: Sequence[str], patience_s: float = LONGEST_S) -> str:
    """Whether the tests of the copy at `place` see something wrong. A hang is seen as well."""
    child = os.fork()
    if not child:
        _become_tests(place, names)
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return MISSED if os.waitstatus_to_exitcode(status) == 0 else SEEN
        time.sleep(0.05)
    # Servers that a test started belong to its group.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return HUNG


def _become_tests(place: Path, names: Sequence[str]) -> None:
    """Forget the project of the parent, and end as pytest on the copy. Never returns."""
    os.setsid()
    os.chdir(place)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    for name in [one for one in sys.modules if one.split(".")[0] in {"app", "tests"}]:
        del sys.modules[name]
    sys.path[:] = [str(place), *(one for one in sys.path if one and Path(one) != Path.cwd())]
    sys.dont_write_bytecode = True
    files = [f"tests/{name}.py" for name in names]
    # Loaded before pytest could look into them: assertions of pytest's plugins say less, no more.
    loaded = ["-W", "ignore:Module already imported"]
    words = ["-x", "-q", "-p", "no:cacheprovider", "--no-header", *loaded, *files]
    try:
        code = int(pytest.main(words))
    except BaseException:  # noqa: BLE001 - whatever a break raises at import, it was seen
        code = 1
    os._exit(code)
