"""Is the PBX's clock ours, and its zone the one that was set? Its call records tell."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest

from app.pbx.clock_difference import clock_difference

UTC, SAIGON = ZoneInfo("UTC"), ZoneInfo("Asia/Ho_Chi_Minh")
NOON = 1_796_040_000_000  # 2026-11-30T12:00:00Z
HANGUP = (NOON, {"callid": "1"})


def records(*calldates: str, **more: str) -> list[tuple[int, dict[str, str]]]:
    return [(NOON, {"callid": "1", "calldate": calldate, **more}) for calldate in calldates]


def in_a_row(calldate: str, times: int = 3, **more: str) -> list[tuple[int, dict[str, str]]]:
    return records(*[calldate] * times, **more)


@pytest.mark.parametrize(
    ("newest", "minutes"),
    [
        (in_a_row("2026-11-30 11:58:00", duration="120"), 0),
        (in_a_row("2026-11-30 11:51:00"), 0),
        # A call of half an hour is over half an hour after its start.
        (in_a_row("2026-11-30 11:30:00", duration="1800"), 0),
        (in_a_row("2026-11-30 11:30:00", holdtime="1800"), 0),
        # Vietnam's time read as UTC.
        (in_a_row("2026-11-30 18:58:00", duration="120"), 420),
        (in_a_row("2026-11-30 11:18:00", duration="120"), -40),
        # Too few to tell; those that can't be read don't count.
        (in_a_row("2026-11-30 18:58:00", 2), 0),
        ([*in_a_row("2026-11-30 18:58:00", 2), *in_a_row("yesterday", 9)], 0),
        ([HANGUP], 0),
        ([], 0),
    ],
)
def test_records_tell_how_far_their_clock_is_away(
    newest: Sequence[tuple[int, dict[str, str]]], minutes: int
) -> None:
    assert clock_difference(newest, UTC) == minutes


def test_in_the_right_zone_there_is_no_difference() -> None:
    assert clock_difference(in_a_row("2026-11-30 18:58:00", duration="120"), SAIGON) == 0


def test_a_few_late_ones_among_many_are_no_other_clock() -> None:
    late = records("2026-11-30 09:00:00", "2026-11-30 08:00:00")
    assert clock_difference([*late, *in_a_row("2026-11-30 12:00:00", 5)], UTC) == 0


def test_once_the_clock_is_right_its_old_records_are_forgotten() -> None:
    old = in_a_row("2026-11-30 18:58:00", 50)
    assert clock_difference([*in_a_row("2026-11-30 12:00:00", 15), *old], UTC) == 0
