"""What a trial gives back: whether the promise held, and what was seen, in words."""

import os
from collections.abc import Mapping

Judged = tuple[bool, str]
# PITWALL_TEST_PATIENCE=3 allows a busy machine three times as long.
PATIENCE = float(os.environ.get("PITWALL_TEST_PATIENCE", "1"))
SKIPPED = "SKIPPED"
ACK_S = 0.25 * PATIENCE


def soon(seconds: object, limit_s: float) -> bool:
    return isinstance(seconds, float) and seconds <= limit_s


def told(found: Mapping[str, object]) -> str:
    said = ((name, round(v, 2) if isinstance(v, float) else v) for name, v in found.items())
    return ", ".join(f"{name}: {value}" for name, value in said)


def skipped(why: str) -> Judged:
    """What a trial gives back that can't be tried on this machine."""
    return True, f"{SKIPPED}: {why}"


def was_skipped(said: str) -> bool:
    return said.startswith(SKIPPED)
