"""The breaks that `make mutants` makes are breaks, and nothing that does not run is broken."""

import ast
from pathlib import Path

import pytest

from tests.mutants.breaks import breaks_of, broken, sample
from tests.mutants.note import KEPT, kept_of

CASES = [
    ("return a < b", "return a <= b"),
    ("return a is not b", "return a is b"),
    ("return a and b", "return a or b"),
    ("return a + b", "return a - b"),
    ("return not a", "return a"),
    ("return 7", "return 8"),
    ("return True", "return False"),
    ("return min(a, b)", "return max(a, b)"),
    ("return a", "return None"),
    ("if a:\n        b()", "if not a:\n        b()"),
    ("a()", "pass"),
    ("a += b", "a -= b"),
]
# Nobody who asks for one of these can tell it from None.
FALSE = ["return None", "return ''", "return 0", "return False"]
IDLE = '''
import logging
log = logging.getLogger("x")

def f(a: int = None) -> "str | None":
    """A text of 7 words, not more."""
    log.warning("told %s", 7)
'''


def in_function(body: str) -> str:
    return f"def f(a, b):\n    {body}\n"


@pytest.mark.parametrize(("whole", "changed"), CASES)
def test_a_break_changes_one_thing(whole: str, changed: str):
    source = in_function(whole)
    made = {broken(source, one) for one in breaks_of("x.py", source)}

    assert ast.unparse(ast.parse(in_function(changed))) in made
    assert ast.unparse(ast.parse(source)) not in made


def test_annotations_and_words_to_programmers_are_left_alone():
    assert breaks_of("x.py", IDLE) == []


@pytest.mark.parametrize("whole", FALSE)
def test_nothing_is_not_broken_into_nothing(whole: str):
    source = in_function(whole)

    assert all(one.what != "return" for one in breaks_of("x.py", source))


def test_what_was_written_by_hand_is_kept(tmp_path: Path):
    page = tmp_path / "mutants.md"
    assert kept_of(page) == ""

    page.write_text(f"# Breaks\n\n- one\n\n{KEPT}\n\nA reason.\n", encoding="utf-8")
    assert kept_of(page) == f"\n{KEPT}\n\nA reason.\n"

    page.write_text("# Breaks\n\n- one\n", encoding="utf-8")
    assert kept_of(page) == ""


def test_a_sample_is_the_same_each_time_and_no_larger_than_asked_for():
    found = breaks_of("x.py", "\n".join(in_function(whole) for whole, _ in CASES))

    assert sample(found, 5, seed=3) == sample(found, 5, seed=3)
    assert sample(found, 5, seed=3) != sample(found, 5, seed=4)
    assert sample(found, 10_000, seed=3) == found
