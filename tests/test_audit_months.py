"""Of which months the audit's page counts who listened to whom."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from app.web.audit_pages import months_until


@pytest.mark.parametrize(
    ("now", "months"),
    [
        ("2026-03-31T23:59:59+07:00", ["2026-03", "2026-02"]),
        ("2026-01-01T00:00:00+07:00", ["2026-01", "2025-12"]),
        ("2026-10-25T12:00:00+01:00", ["2026-10", "2026-09"]),
    ],
)
def test_a_month_begins_where_the_one_before_it_ends(now, months):
    zone = ZoneInfo("Europe/Lisbon" if now.endswith("+01:00") else "Asia/Ho_Chi_Minh")
    this, last = months_until(datetime.fromisoformat(now).astimezone(zone))

    assert [this[0], last[0]] == months
    assert last[1][1] == this[1][0]
    for name, (since, until) in (this, last):
        first, after = (datetime.fromtimestamp(ms / 1000, zone) for ms in (since, until))
        assert f"{first:%Y-%m-%d %H:%M}" == f"{name}-01 00:00"
        assert (after.day, after.hour) == (1, 0)
