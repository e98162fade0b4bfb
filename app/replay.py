"""Replays a trace through decode → floor in the trace's own time; no server, no log, no clock."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from app.domain.caps import USUAL, Caps
from app.domain.days import BusinessDay
from app.domain.events import Event, Tick
from app.domain.floor import Floor
from app.pbx import WebhookError
from app.pbx.voicecloud import decode

TICK_MS = 5000


class Replay:
    """One floor, fed with traced webhooks; ticks are made from the trace's time."""

    def __init__(self, days: BusinessDay, caps: Caps = USUAL) -> None:
        self.days = days
        self.floor = Floor(days, caps=caps)
        self.rejected = 0
        self.now = 0
        self._next_tick = 0

    def webhook(self, at: int, path: str, params: dict[str, str]) -> None:
        """One webhook as it came at `at` (ms); what can't be understood is counted."""
        self.run_until(at)
        try:
            event = decode(path, params, now=at, zone=self.days.zone)
        except WebhookError:
            self.rejected += 1
        else:
            self._apply(at, event)

    def run_until(self, at: int) -> None:
        """Let time pass up to `at` (ms), a tick each five seconds."""
        if not self.now:
            self._next_tick = at + TICK_MS
        while self._next_tick <= at:
            self._apply(self._next_tick, Tick())
            self._next_tick += TICK_MS
        self.now = max(self.now, at)

    def _apply(self, at: int, event: Event) -> None:
        self.floor.apply(self.floor.state.seq + 1, at, event)


def read_trace(path: Path) -> Iterator[tuple[int, str, dict[str, str]]]:
    """(at in ms, path, parameters) of each line {"t": seconds, "path": …, "params": {…}}.

    Raises ValueError with the line's number where a line is not of that shape.
    """
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                at, where = round(float(row["t"]) * 1000), str(row["path"])
                params = {str(name): str(value) for name, value in row["params"].items()}
            except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as fault:
                reason = f"{path.name}, line {number}: not a traced webhook (t, path, params)"
                raise ValueError(reason) from fault
            yield at, where, params


def replay(traces: Iterable[Path], days: BusinessDay, caps: Caps = USUAL) -> Replay:
    """Replay the traces one after the other on one floor."""
    run = Replay(days, caps)
    for trace in traces:
        for at, path, params in read_trace(trace):
            run.webhook(at, path, params)
    return run
