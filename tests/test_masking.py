"""Numbers in what Pitwall writes for its operators."""

import logging

import pytest

from app.masking import MaskingFormatter


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
