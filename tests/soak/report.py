"""Judges a soak and writes it down: a figure, its limit, and what was measured on the way."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.senders import quantile
from tests.soak.samples import PageSample, Probe, Sample, slope

# After so much of the run, and an hour of the floor, everything is warm: from then on as many calls
# are forgotten as begin.
WARM = 1 / 3
FLOOR_HOUR_S = 3600
GROWTH_MIB, SWING_MIB = 1.0, 4.0
ROWS = 12


@dataclass(frozen=True)
class Verdict:
    """One figure against its limit; `needs_quiet`: others who use the machine count in it too."""

    what: str
    value: float
    limit: float
    unit: str
    needs_quiet: bool = False

    @property
    def is_good(self) -> bool:
        return self.value <= self.limit


@dataclass(frozen=True)
class Soak:
    """One run."""

    minutes: float
    agents: int
    speed: float
    viewers: int
    reconnects: int
    lost_viewers: int
    samples: Sequence[Sample]
    page: Sequence[PageSample]
    probes: Sequence[Probe]
    grown: str = ""


def verdicts(soak: Soak) -> list[Verdict]:
    """All that R19 promises. An hour is one of the floor's, of which many pass in a real one."""
    warm = warm_samples(soak)
    last = warm[-1]
    descriptors, tasks = drift([s.descriptors for s in warm]), drift([s.tasks for s in warm])
    answers = quantile([one.answer_ms for one in soak.probes], 0.99)
    machine = quantile([one.machine_ms for one in soak.probes], 0.99)
    found = [
        growth(warm, soak.speed),
        Verdict("RSS at the end", last.resident, 400.0, "MiB"),
        Verdict("descriptors, later half against earlier", descriptors, 10, ""),
        Verdict("tasks, later half against earlier", tasks, 10, ""),
        Verdict("WAL, largest", max(one.wal for one in soak.samples), 64, "MiB"),
        Verdict(
            "simplest answer, p99, beyond the machine's own",
            answers - machine,
            50,
            "ms",
            needs_quiet=True,
        ),
        Verdict("boards lost", soak.lost_viewers, 0, ""),
    ]
    return found + page_verdicts(soak)


def is_growing(soak: Soak) -> bool:
    """Its memory alone is over the limit of an hour."""
    return not growth(warm_samples(soak), soak.speed).is_good


def warm_samples(soak: Soak) -> Sequence[Sample]:
    return [one for one in soak.samples if one.at_s >= warm_after(soak)] or soak.samples


def growth(warm: Sequence[Sample], speed: float) -> Verdict:
    """MiB in an hour of the floor."""
    climb = slope([(one.at_s, one.resident) for one in warm]) / speed
    return Verdict("RSS slope in an hour of the floor", climb, most_growth(warm, speed), "MiB/h")


def is_passed(soak: Soak, *, busy: bool) -> bool:
    """Nothing is over its limit; on a `busy` machine, nothing of what is ours alone."""
    return all(one.is_good or (busy and one.needs_quiet) for one in verdicts(soak))


def most_growth(warm: Sequence[Sample], speed: float) -> float:
    """MiB in an hour of the floor: one, and what the swing of snapshots may look like in so short.

    The error of a line through what only swings falls with the time to the power of 1.5.
    """
    hours = (warm[-1].at_s - warm[0].at_s) * speed / FLOOR_HOUR_S
    swing: float = SWING_MIB / max(hours, 1.0) ** 1.5
    return GROWTH_MIB + swing // 0.1 * 0.1


def warm_after(soak: Soak) -> float:
    """Seconds."""
    return max(soak.minutes * 60 * WARM, FLOOR_HOUR_S / soak.speed)


def page_verdicts(soak: Soak) -> list[Verdict]:
    if len(soak.page) < 2:
        return []
    warm = [one for one in soak.page if one.at_s >= warm_after(soak)] or soak.page
    heap = drift([one.heap for one in warm])
    nodes = drift([one.nodes for one in warm])
    listeners = drift([one.listeners for one in warm])
    return [
        Verdict("wall's page: heap, later half against earlier", heap, 1.0, "MiB"),
        Verdict("wall's page: nodes, later half against earlier", nodes, 1000, ""),
        Verdict("wall's page: listeners, later half against earlier", listeners, 5, ""),
    ]


def drift(values: Sequence[float]) -> float:
    """The median of the later half less that of the earlier: a swing is no growth."""
    middle = len(values) // 2
    return quantile(list(values[middle:]), 0.5) - quantile(list(values[: middle or 1]), 0.5)


def written(soak: Soak) -> str:
    """The page `docs/soak.md`."""
    load = [f"{one:.1f}" for one in os.getloadavg()]
    facts = (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores shared with the simulator, {soak.viewers} viewers and a browser; "
        f"load at the end {' '.join(load)}."
    )
    used = soak.samples[-1].cpu_s - soak.samples[0].cpu_s
    passed = soak.samples[-1].at_s - soak.samples[0].at_s
    events = soak.samples[-1].events - soak.samples[0].events
    story = (
        f"{soak.minutes:.0f} minutes of a floor of {soak.agents} agents at {soak.speed:g} × speed: "
        f"{events} events, {soak.viewers} boards open, {soak.reconnects} of them closed and opened "
        f"again on the way. The process used {100 * used / max(passed, 1):.0f} % of one processor."
    )
    return "\n".join(
        [
            *HEAD,
            facts,
            "",
            story,
            "",
            *_judged(soak),
            "",
            _lateness(soak),
            "",
            *_grown(soak),
            *_table(soak),
            "",
            *_page(soak),
        ]
    )


HEAD = (
    "# The soak",
    "",
    "`make soak` runs a floor for hours and looks at what must not grow; it fails where a figure",
    "is over its limit. `make soak MINUTES=10` is the short one. It begins with as many calls",
    "behind it as a floor remembers, so that what grows is a leak. This page is written by it.",
    "",
)


def _judged(soak: Soak) -> list[str]:
    rows = [
        f"| {one.what} | {one.value:.1f} {one.unit} | {one.limit:g} {one.unit} | "
        f"{'ok' if one.is_good else '**over**'} |"
        for one in verdicts(soak)
    ]
    return ["| figure | measured | limit | |", "|---|---:|---:|---|", *rows]


def _table(soak: Soak) -> list[str]:
    rows = [
        f"| {one.at_s / 60:.1f} | {one.resident:.1f} | {one.descriptors} | {one.tasks} | "
        f"{one.wal:.1f} | {one.events} | {one.calls} |"
        for one in thinned(soak.samples)
    ]
    head = "| minute | RSS MiB | descriptors | tasks | WAL MiB | events | calls remembered |"
    return [head, "|---:" * 7 + "|", *rows]


def _lateness(soak: Soak) -> str:
    shares = (0.5, 0.9, 0.99)
    answers = [f"{quantile([p.answer_ms for p in soak.probes], one):.1f}" for one in shares]
    machine = [f"{quantile([p.machine_ms for p in soak.probes], one):.1f}" for one in shares]
    return (
        f"The simplest request was answered after {' / '.join(answers)} ms (p50 / p90 / p99); a "
        f"sleep of a millisecond beside it ended {' / '.join(machine)} ms late."
    )


def _grown(soak: Soak) -> list[str]:
    if not soak.grown:
        return []
    return [
        "What grew in the minutes after it, by `tracemalloc`:",
        "",
        "```",
        soak.grown,
        "```",
        "",
    ]


def _page(soak: Soak) -> list[str]:
    rows = [
        f"| {one.at_s / 60:.1f} | {one.heap:.2f} | {one.nodes} | {one.listeners} |"
        for one in soak.page
    ]
    if not rows:
        return ["No browser was there: the wall's page was not looked at.", ""]
    return ["| minute | page heap MiB | nodes | listeners |", "|---:" * 4 + "|", *rows, ""]


def thinned(samples: Sequence[Sample]) -> list[Sample]:
    """Some of them, the first and the last among them."""
    step = max(1, (len(samples) - 1) // ROWS)
    kept = list(samples[::step])
    return kept if kept[-1] is samples[-1] else [*kept, samples[-1]]
