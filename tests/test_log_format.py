"""Lines of the program's own log: for people and as JSON, one line each, and no secrets."""

import json
import logging
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.log_format import LONGEST, formatter_of
from app.sites.lines import SITE


def record(message: str, *values: object, failed: BaseException | None = None) -> logging.LogRecord:
    exc_info = (type(failed), failed, failed.__traceback__) if failed else None
    return logging.LogRecord("app.some", logging.WARNING, "", 0, message, values, exc_info)


def told(message: str, *values: object, failed: BaseException | None = None) -> dict[str, str]:
    line = formatter_of("json").format(record(message, *values, failed=failed))
    assert "\n" not in line
    found: dict[str, str] = json.loads(line)
    return found


@pytest.fixture
def site() -> Iterator[str]:
    token = SITE.set("hanoi")
    yield "hanoi"
    SITE.reset(token)


def test_a_line_says_when_how_bad_who_and_what() -> None:
    line = told("The call %s was odd", 'a"b\nc')

    assert line.pop("at").endswith("+00:00")
    assert line == {"level": "warning", "logger": "app.some", "message": 'The call a"b\nc was odd'}


def test_a_line_of_one_of_several_sites_names_it(site: str) -> None:
    assert told("Odd")["site"] == site


def test_numbers_and_tokens_are_in_no_line() -> None:
    token = secrets.token_urlsafe(32)
    line = told("0938363739 asked for /hook/%s/api", token)["message"]

    assert line == "•••••••739 asked for /hook/***/api"


def test_a_traceback_is_in_the_line_with_its_end() -> None:
    try:
        raise ValueError("x" * 3 * LONGEST + " no such number: 0938363739")
    except ValueError as error:
        message = told("Broken.", failed=error)["message"]

    assert message.startswith("Broken.\nTraceback")
    assert message.endswith("no such number: •••••••739")
    assert len(message) <= LONGEST + 3


def test_the_real_program_says_why_it_can_not_start_in_an_object(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")
    variables = {"PITWALL_LOG_FORMAT": "json", "PITWALL_LOG": "sqlite:data/pitwall.db", "PORT": "0"}
    ended = subprocess.run(
        [sys.executable, "-m", "app", "serve"],
        env={**variables, "PYTHONPATH": str(Path(__file__).parent.parent)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    [line] = [json.loads(each) for each in ended.stderr.splitlines()]
    assert ended.returncode == 3
    assert (line["level"], line["logger"]) == ("error", "uvicorn.error")
    assert "data" in line["message"]
