"""The history in the real program: asked over HTTP, and built anew beside it."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.running import ROOT, Pitwall


@pytest.fixture
def pitwall(free_port, tmp_path):
    server = Pitwall(free_port, tmp_path, PITWALL_API_TOKEN="a-token-for-programs-only-0123456789")
    server.start()
    yield server
    server.stop()


def calls_of(server: Pitwall) -> list[dict[str, object]]:
    request = urllib.request.Request(
        f"{server.url}/api/v1/calls",
        headers={"Authorization": "Bearer a-token-for-programs-only-0123456789"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        found: list[dict[str, object]] = json.load(answer)["calls"]
    return found


def calls_once_there_are(server: Pitwall, count: int) -> list[dict[str, object]]:
    """Within a tick and a second what happened is history."""
    deadline = time.monotonic() + 15
    while len(calls := calls_of(server)) != count and time.monotonic() < deadline:
        time.sleep(0.1)
    return calls


def rebuilt(folder: Path) -> str:
    environ = {**os.environ, "PITWALL_LOG": f"sqlite:{folder / 'pitwall.db'}"}
    command = [sys.executable, "-m", "app", "rebuild"]
    return subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=30, check=True
    ).stdout


def test_a_call_is_found_after_a_restart_and_after_a_rebuild_beside_the_program(pitwall, tmp_path):
    for word in ("RING", "ANSWER"):
        call = {"callid": "1", "event": word, "extension": "101", "queue": "999"}
        pitwall.hook("/callcenter/call_in", phone="0938363739", **call)
    [live] = calls_once_there_are(pitwall, 1)
    pitwall.stop()
    pitwall.start()

    words = rebuilt(tmp_path)
    pitwall.hook("/callcenter/call_in", callid="2", event="RING", queue="999", phone="0912000111")
    calls = calls_once_there_are(pitwall, 2)

    assert "built anew" in words
    assert calls[1] == live
    assert live["outcome"] == "answered"
