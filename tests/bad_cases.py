"""Which test runs which case of `bad-inputs.json`: each test says so, and one test asks for all."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from tests.bad_inputs import FILE

Case = dict[str, Any]
Test = TypeVar("Test", bound=Callable[..., Any])
BY_NAME: dict[str, Case] = {case["name"]: case for case in FILE["cases"]}
RUN_BY: dict[str, list[str]] = {}


def runs(*names: str) -> Callable[[Test], Test]:
    """The decorated test runs these cases. Raises KeyError where there is no such case."""

    def note(test: Test) -> Test:
        run_here(names, f"{test.__module__}.{test.__name__}")
        return test

    return note


def run_here(names: Iterable[str], where: str) -> None:
    """The test of that name runs these cases, one by one."""
    for name in names:
        RUN_BY.setdefault(BY_NAME[name]["name"], []).append(where)


def statuses(name: str) -> list[int]:
    """The answers that the case accepts; 0 stands for a connection that just closes."""
    told = BY_NAME[name]["expect"]["status"]
    return [0 if status == "closed" else int(status) for status in told]


def group(name: str, transport: str | None = None) -> list[Case]:
    """The cases of a group, in the file's order."""
    cases = [case for case in FILE["cases"] if case["group"] == name]
    return [case for case in cases if transport is None or case.get("transport") == transport]
