"""Many secrets are kept out of texts as one is, and without looking for each in every line."""

import json
import secrets
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.pbx.redaction import FEW, Redaction, spellings
from app.pbx.secret import Secret
from app.pbx.suspicion import Suspicion, bare
from tests.test_redaction import KEY, SPELLINGS

OTHERS = [f"another-secret-{number}" for number in range(FEW + 1)]


def among_many(*keys: str) -> Redaction:
    return Redaction(Secret(text) for text in [*OTHERS, *keys])


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_every_spelling_of_one_of_many_is_taken_out(spelling: str) -> None:
    text = f"before {spelling} after"

    assert among_many(KEY).clean(text) == Redaction([Secret(KEY)]).clean(text)
    assert "***" in among_many(KEY).clean(text)


@settings(deadline=None, max_examples=300)
@given(st.text(min_size=4, max_size=40))
def test_one_of_many_is_found_wherever_it_would_be_alone(key: str) -> None:
    many, one = among_many(key), Redaction([Secret(key)])

    for spelling in spellings(key):
        text = f"say {spelling} now"
        assert many.clean(text) == one.clean(text)


def test_several_secrets_in_one_text_are_all_taken_out() -> None:
    text = json.dumps({"a": KEY, "b": OTHERS[3], "c": OTHERS[30]})

    assert among_many(KEY).clean(text) == '{"a": "***", "b": "***", "c": "***"}'


def test_a_text_without_secrets_stays_as_it_is() -> None:
    text = "GET /login?next=%2Fagents%2F101 &amp; \\u0041 another-secret-"

    assert among_many(KEY).clean(text) == text


def test_what_has_no_letters_is_always_suspected() -> None:
    assert Suspicion(["----", "abcdef"], lambda secret: ()).about("nothing") == ["----"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a%2Db-c", "abc"),
        ("%253A%253Aab", "ab"),
        ("x&#45;y&#x79;z&quot;", "xyyz"),
        ("\\\\u0041\\x42\\n", "AB"),
        ("%c3%bca", "a"),
    ],
)
def test_escapes_are_taken_away(text: str, said: str) -> None:
    assert bare(text) == said


def test_thousands_of_secrets_cost_a_line_next_to_nothing() -> None:
    began = time.perf_counter()
    many = Redaction(Secret(secrets.token_urlsafe(32)) for _ in range(3_000))
    for _ in range(100):
        many.clean("INFO app.keeping.upkeep: Backup pitwall-20261125.db was made and checked.")

    # Three seconds for three thousand alternatives a hundred times; this takes a tenth.
    assert time.perf_counter() - began < 3
