"""Numbers in what Pitwall writes for its operators."""

import logging
import secrets

import pytest

from app.masking import MaskingFormatter, masked_words


def line(message: str, *values: object) -> str:
    record = logging.LogRecord("app", logging.INFO, "", 0, message, values, None)
    return MaskingFormatter("%(message)s").format(record)


@pytest.mark.parametrize(
    "number", ["0938363739", "+84938363739", "84938363739", "%2B84938363739", "0281234567"]
)
def test_a_number_in_a_line_shows_its_end(number):
    written = line("The call of %s was odd", number)

    assert number not in written
    assert written.count("•") >= 6
    assert number[-3:] in written


@pytest.mark.parametrize(
    "text",
    [
        "row 17 with hash 0938363739ab0938363739",
        "call 1700000000.123",
        "took 0.0938363739 s",
        "at 1795537109084 ms",
        "extension 0101",
    ],
)
def test_what_is_no_number_stays(text):
    assert line(text) == text


def test_a_number_in_a_traceback_is_masked_too():
    try:
        raise ValueError("no such number: 0938363739")
    except ValueError as error:
        record = logging.LogRecord(
            "app", logging.ERROR, "", 0, "Broken.", (), (type(error), error, error.__traceback__)
        )

    assert "0938363739" not in MaskingFormatter("%(message)s").format(record)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Cannot dial 0938363739: no route", "Cannot dial •••••••739: no route"),
        ("tel:0938363739", "tel:•••••••739"),
        ("is 0938 363 739 now", "is •••• ••• 739 now"),
        ("0938.363.739", "••••.•••.739"),
        ("ask +84 (938) 363-739.", "ask +•• (•••) •••-739."),
    ],
)
def test_in_what_somebody_typed_or_the_pbx_said_a_number_shows_its_end(typed, kept):
    assert masked_words(typed) == kept


@pytest.mark.parametrize(
    "text",
    [
        "T 20 s, short 5 s",
        "since=2026-11-01&until=2026-11-30",
        "2026-11-30 08:00",
        "08.00-17.30",
        "the previous one works for 7 days more",
        "anna: name, role",
    ],
)
def test_in_what_is_typed_no_other_digits_are_masked(text):
    assert masked_words(text) == text


TOKEN = secrets.token_urlsafe(32)


@pytest.mark.parametrize(
    "text",
    [
        "WebSocket /hook/{}/api",
        "GET /setup/{} HTTP/1.1",
        "< cookie: sid={}; wall={}",
        "authorization: Bearer pw_{}",
        "/login?next=%2Fhook%2F{}%26x=1",
        '{"link": "{}"}',
        "{}",
    ],
)
def test_a_token_that_was_given_out_is_in_no_line(text):
    written = line("%s", text.replace("{}", TOKEN))

    assert TOKEN not in written
    assert written == text.replace("pw_{}", "{}").replace("{}", "***")


@pytest.mark.parametrize(
    "text",
    [
        f"row 17 with hash {'0af1' * 16}",
        f"backup {'a' * 42}",
        f"{'a' * 44} is longer",
        "id 0d5c6f8e-7a51-4a3f-9c3f-1f6f5b0c9d11",
        "Traceback of tests.test_masking.test_a_token_that_was_given_out_is_in_no_line",
    ],
)
def test_what_is_no_token_stays(text):
    assert line("%s", text) == text
