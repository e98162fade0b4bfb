"""What a soak is judged by: each figure can fail it, and a busy machine is no excuse for a leak."""

from dataclasses import replace

import pytest

from tests.soak.report import Soak, is_growing, is_passed, verdicts, written
from tests.soak.samples import PageSample, Probe, Sample

SAMPLES = [Sample(5.0 * i, 170.0, 250, 900, 20.0, 1000 * i, 40_000, float(i)) for i in range(120)]
PAGE = [PageSample(60.0 * i, 4.0, 2000, 90) for i in range(10)]
PROBES = [Probe(8.0, 1.0)] * 500
GOOD = Soak(10.0, 500, 20.0, 200, 600, 0, SAMPLES, PAGE, PROBES)
LATE = replace(GOOD, probes=[Probe(90.0, 1.0)] * 500)


def grown(per_sample: float) -> Soak:
    """The process gains so many mebibytes in each five seconds."""
    samples = [
        replace(one, resident=one.resident + per_sample * number)
        for number, one in enumerate(SAMPLES)
    ]
    return replace(GOOD, samples=samples)


def after_half(samples: list[Sample], **more: int) -> list[Sample]:
    """From the middle of its warm part on, the process has so many more of something."""
    return [
        replace(one, **{name: getattr(one, name) + extra for name, extra in more.items()})
        if number >= 80
        else one
        for number, one in enumerate(samples)
    ]


def test_what_stays_as_it_is_passes() -> None:
    assert is_passed(GOOD, busy=False)
    assert "**over**" not in written(GOOD)


@pytest.mark.parametrize(
    "soak",
    [
        # Two and a half mebibytes in an hour of the floor, which is three minutes.
        grown(0.07),
        replace(GOOD, samples=[replace(one, resident=401.0) for one in SAMPLES]),
        replace(GOOD, samples=after_half(SAMPLES, descriptors=11)),
        replace(GOOD, samples=after_half(SAMPLES, tasks=11)),
        replace(GOOD, samples=[*SAMPLES[:-1], replace(SAMPLES[-1], wal=65.0)]),
        replace(GOOD, lost_viewers=1),
        replace(GOOD, page=[replace(p, heap=p.heap + 0.4 * i) for i, p in enumerate(PAGE)]),
        replace(GOOD, page=[replace(p, nodes=p.nodes + 400 * i) for i, p in enumerate(PAGE)]),
        replace(GOOD, page=[replace(p, listeners=90 + 2 * i) for i, p in enumerate(PAGE)]),
    ],
    ids="leak large descriptors tasks wal boards heap nodes listeners".split(),
)
def test_each_figure_fails_it_even_on_a_busy_machine(soak: Soak) -> None:
    assert not is_passed(soak, busy=True)
    assert sum(not one.is_good for one in verdicts(soak)) == 1
    assert "**over**" in written(soak)


def test_late_answers_fail_it_where_nobody_else_uses_the_machine() -> None:
    assert not is_passed(LATE, busy=False)
    assert is_passed(LATE, busy=True)
    assert "**over**" in written(LATE)


def test_only_a_process_that_grows_is_asked_what_grows() -> None:
    assert is_growing(grown(0.07))
    assert not is_growing(replace(GOOD, samples=after_half(SAMPLES, descriptors=11)))
    assert not is_growing(LATE)
    told = written(replace(grown(0.07), grown="+12.0 KiB in +3 pieces: app/floor.py:1"))
    assert "+12.0 KiB in +3 pieces: app/floor.py:1" in told
