"""A trace becomes a floor in the trace's own time: ticks, refusals, lines that can't be read."""

from pathlib import Path

import pytest

from app.domain.days import BusinessDay
from app.replay import Replay, read_trace, replay
from tests.story import UTC_ZONE

CHANGE = "/api/Agent/ChangeStatus"
ON = {"extension": "101", "status": "on"}
LINE = '{"t": 1.5, "path": "/api/Agent/ChangeStatus", "params": {"extension": 101, "status": "on"}}'
DAYS = BusinessDay(UTC_ZONE)


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "trace.jsonl"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_line_is_a_time_a_path_and_parameters(tmp_path: Path) -> None:
    rows = list(read_trace(write(tmp_path, f"{LINE}\n\n{LINE}\n")))

    assert rows == [(1500, CHANGE, ON)] * 2


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "3",
        '{"t": 1e999, "path": "", "params": {}}',
        '{"t": NaN, "path": "", "params": {}}',
        '{"t": 1, "path": "", "params": 3}',
        '{"t": 1}',
        '{"t": "noon", "path": "", "params": {}}',
        '{"path": ""}',
    ],
)
def test_a_line_that_is_no_webhook_is_named_by_its_number(tmp_path: Path, line: str) -> None:
    with pytest.raises(ValueError, match=r"trace\.jsonl, line 2: not a traced webhook"):
        list(read_trace(write(tmp_path, f"{LINE}\n{line}\n")))


def test_time_passes_in_ticks_of_five_seconds() -> None:
    run = Replay(DAYS)
    run.webhook(1_000, CHANGE, ON)
    run.webhook(5_999, CHANGE, ON)
    assert run.floor.state.seq == 2

    run.webhook(6_000, CHANGE, ON)
    assert run.floor.state.seq == 4

    run.run_until(21_000)
    assert (run.floor.state.seq, run.floor.state.at, run.now) == (7, 21_000, 21_000)


def test_time_never_goes_back() -> None:
    run = Replay(DAYS)
    run.webhook(9_000, CHANGE, ON)
    run.webhook(8_000, CHANGE, ON)

    assert run.now == 9_000


def test_what_is_no_webhook_is_counted_and_changes_nothing() -> None:
    run = Replay(DAYS)
    run.webhook(1_000, CHANGE, {"extension": "101", "status": "asleep"})
    run.webhook(1_000, "/api/unknown", ON)

    assert run.rejected == 2
    assert run.floor.state.seq == 0


def test_traces_follow_each_other_on_one_floor(tmp_path: Path) -> None:
    path = write(tmp_path, LINE)

    run = replay([path, path], DAYS)

    assert run.floor.state.webhooks.accepted == 2
