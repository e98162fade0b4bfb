"""The benchmark's own arithmetic: what counts as met, and what a new report leaves alone."""

from pathlib import Path

import pytest

from bench import report
from bench.goals import Goal, Section
from bench.measure import share, typical
from bench.traffic import EVENTS_PER_TURN, Traffic


def test_a_goal_is_met_on_its_side_of_the_bound_the_bound_included() -> None:
    assert Goal("memory", 40, 40).is_met
    assert not Goal("memory", 40.1, 40).is_met
    assert Goal("share", 60, 60, "least").is_met
    assert not Goal("share", 59.9, 60, "least").is_met


def test_a_goal_that_is_not_met_says_so_in_bold() -> None:
    assert Goal("p99", 300.4, 250, unit=" ms").row() == "| p99 | 300.4 ms | ≤ 250 ms | **no** |"


def test_what_was_never_seen_is_endless_and_so_not_met() -> None:
    late = Goal("p99", share([], 99), 250)

    assert not late.is_met
    assert "endless" in late.row()


def test_what_disturbs_a_round_does_not_count() -> None:
    assert typical([10, 11, 12, 90, 300, 1000]) == 11


def test_a_new_report_replaces_the_old_one_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"# Before\n{report.BEGIN}\nold\n{report.END}\nAfter\n", encoding="utf-8")
    monkeypatch.setattr(report, "PAGE", page)

    report.write([Section("Start", [Goal("a", 1, 2)])], "2026-11-24", "one core", quick=True)

    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Before\n")
    assert text.endswith("After\n")
    assert "1 of 1 goals are met" in text
    assert "old" not in text


def test_traffic_ends_a_call_before_the_agent_gets_the_next() -> None:
    traffic = Traffic(10)
    opening = list(traffic.opening())
    turns = traffic.turns()
    turn = [next(turns) for _ in range(EVENTS_PER_TURN)]

    assert len(opening) == 10 * 4 + 3 * 2 + 2
    assert [path.rpartition("/")[2] for path, _ in turn] == [
        "hangup",
        "changestatus",
        "calldata",
        "call_in",
        "call_in",
        "changestatus",
    ]
