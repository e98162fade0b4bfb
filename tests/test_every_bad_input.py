"""Every case of `bad-inputs.json` is run by a test that exists; a case that nobody runs fails."""

from importlib import import_module
from pathlib import Path

import pytest

from tests.bad_cases import BY_NAME, RUN_BY
from tests.bad_inputs import FILE

HERE = Path(__file__).parent
PATTERNS = ("test_bad_*.py", "test_browser_escaping.py", "test_hostile_peers.py")


def modules() -> list[str]:
    paths = [path for pattern in PATTERNS for path in sorted(HERE.glob(pattern))]
    return [".".join(("tests", *path.relative_to(HERE).with_suffix("").parts)) for path in paths]


@pytest.fixture(scope="module")
def run_by() -> dict[str, list[str]]:
    for module in modules():
        import_module(module)
    return RUN_BY


def test_no_case_is_left_out(run_by: dict[str, list[str]]):
    assert sorted(set(BY_NAME) - set(run_by)) == []
    assert len(run_by) == FILE["count"] == len(FILE["cases"])


def test_what_runs_the_cases_are_tests(run_by: dict[str, list[str]]):
    for where in {where for wheres in run_by.values() for where in wheres}:
        module, _, name = where.rpartition(".")
        assert name.startswith("test_")
        assert callable(getattr(import_module(module), name))
