"""Short versions of `make chaos`, on real processes: see `tests/chaos`."""

import pytest

from tests.chaos import __main__ as chaos
from tests.chaos.__main__ import TRIALS, options_of
from tests.chaos.verdict import skipped, was_skipped

SHORT = options_of(
    "--kills 20 --restarts 2 --events 30000 --cuts 20 --webhooks 20 --every-edge 30 --locks 1"
    " --damages 1 --audits 2".split()
)
# The rest is the same with other numbers, or needs a disk of its own.
TRIED = (
    "r1_kills",
    "r2_same_after_kill",
    "r3_order",
    "r3_torn",
    "r3_forgotten",
    "r4_quota",
    "r5_closed",
    "r7_damaged",
    "r15_restarts",
    "r20_restore",
    "r22_audit",
)


@pytest.mark.parametrize("name", TRIED)
def test_the_promise_holds_on_a_bad_day(name, tmp_path):
    good, said = TRIALS[name](tmp_path, SHORT)
    if was_skipped(said):
        pytest.skip(said)

    assert good, said


def test_a_run_fails_where_something_was_not_tried_unless_that_is_allowed(monkeypatch, capsys):
    monkeypatch.setattr(chaos, "TRIALS", {"lame": lambda folder, options: skipped("no leg")})

    assert chaos.main([]) == 1
    assert chaos.main(["--allow-skips"]) == 0
    assert "| lame | skipped |" in capsys.readouterr().out
