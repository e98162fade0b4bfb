"""A soak that failed says which line of code holds more and more."""

import signal
from pathlib import Path

import pytest

from tests.soak.growth import ASK, Growth

KEPT: list[bytearray] = []


def keep_more() -> None:
    KEPT.extend(bytearray(1000) for _ in range(500))  # the line that is looked for


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="this system has no such signal")
def test_the_line_that_keeps_more_and_more_is_named_first(tmp_path: Path) -> None:
    told = tmp_path / "grown.txt"
    before = signal.getsignal(ASK)
    try:
        Growth(told).listen()
        keep_more()
        signal.raise_signal(ASK)
        keep_more()
        signal.raise_signal(ASK)
    finally:
        signal.signal(ASK, before)
        KEPT.clear()

    lines = Path(__file__).read_text().splitlines()
    number = 1 + next(i for i, line in enumerate(lines) if "# the line that is looked for" in line)
    first = told.read_text().splitlines()[0]
    assert f"tests/test_soak_growth.py:{number}" in first
    # What was there before is no growth.
    assert 400 < float(first.split()[0]) < 900
