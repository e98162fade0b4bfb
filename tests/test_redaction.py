"""Secrets do not print themselves, and are taken out of texts and of the log."""

import base64
import copy
import html
import json
import logging
import pickle
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.logging import AccessFormatter, DefaultFormatter
from yarl import URL

from app.pbx.redaction import Redaction, install_redaction
from app.pbx.secret import Secret

KEY = "s3cr3t/+ %&'\"\\üK=="
SPELLINGS = {
    "raw": KEY,
    "quote": quote(KEY),
    "quote_all": quote(KEY, safe=""),
    "quote_lower": quote(KEY, safe="").replace("%C3%BC", "%c3%bc").replace("%2F", "%2f"),
    "quote_plus": quote_plus(KEY),
    "quote_twice": quote(quote(KEY, safe=""), safe=""),
    "json": json.dumps(KEY),
    "json_unicode": json.dumps(KEY, ensure_ascii=False),
    "json_slashes": json.dumps(KEY).replace("/", "\\/"),
    "json_in_json": json.dumps(json.dumps(KEY)),
    "repr": repr(KEY),
    "html": html.escape(KEY),
    "yarl": str(URL("http://pbx/key") / KEY.replace("/", "%2F")),
    "url": URL("http://pbx").with_query(key=KEY).human_repr(),
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64_url": base64.urlsafe_b64encode(KEY.encode()).decode(),
    "basic_auth_1": base64.b64encode(f"a:{KEY}".encode()).decode(),
    "basic_auth_2": base64.b64encode(f"ab:{KEY}".encode()).decode(),
    "basic_auth_3": base64.b64encode(f"abc:{KEY}:d".encode()).decode(),
}


@dataclass
class Holder:
    key: Secret


@pytest.fixture
def undo() -> Iterator[None]:
    undo = install_redaction([Secret(KEY), Secret("another-one")])
    yield
    undo()


class Lines(logging.Handler):
    def __init__(self, formatter: logging.Formatter | None = None) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.setFormatter(formatter)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """One whose handlers come after the redaction was installed, and that passes nothing on."""
    logger = logging.getLogger("uvicorn.canary")
    logger.propagate = False
    yield logger
    logger.handlers.clear()
    logger.propagate = True


def listen(logger: logging.Logger, formatter: logging.Formatter | None = None) -> list[str]:
    handler = Lines(formatter)
    logger.addHandler(handler)
    return handler.lines


def test_a_secret_does_not_print_itself():
    secret = Secret(KEY)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>9}", repr(Holder(secret))]

    assert not any("s3cr3t" in text for text in [*shown, repr(asdict(Holder(secret)))])
    assert copy.deepcopy(secret).reveal() == KEY
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_secrets_are_equal_by_their_text():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert not Secret("")


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_every_spelling_of_a_secret_is_taken_out(spelling):
    cleaned = Redaction([Secret(KEY)]).clean(f"before {spelling} after")

    assert cleaned.startswith("before ")
    assert cleaned.endswith(" after")
    assert "***" in cleaned
    assert "s3cr3t" not in cleaned
    assert base64.b64encode(KEY.encode()).decode()[4:12] not in cleaned


@given(st.text(min_size=4, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_any_secret_is_taken_out_of_any_text(key, before, after):
    redaction = Redaction([Secret(key)])
    for spelling in (key, quote(key, safe="", errors="replace"), json.dumps(key)[1:-1]):
        cleaned = redaction.clean(f"{before}{spelling}{after}")
        assert "***" in cleaned


def test_other_text_is_left_alone():
    redaction = Redaction([Secret(KEY), Secret(""), Secret("abc")])

    assert redaction.clean("abc s3cr3t %2F") == "abc s3cr3t %2F"
    assert Redaction([]).clean("anything") == "anything"


def test_a_long_text_is_searched_quickly_for_the_usual_spellings():
    redaction = Redaction([Secret(KEY)])

    assert redaction.appears_in("x" * 100_000 + quote(KEY))
    assert not redaction.appears_in("s3cr3t" * 100_000)


@pytest.mark.parametrize("text", ["\\", "%", "%25", "&#x0", "s3cr3t", "s3cr3t\\/\\"])
def test_no_text_takes_long_to_clean(text):
    began = time.monotonic()
    Redaction([Secret(KEY), Secret("\\\\\\\\\\\\x")]).clean(text * (32 * 1024 // len(text)))

    assert time.monotonic() - began < 5


@pytest.mark.usefixtures("undo")
@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_a_secret_is_not_logged_whatever_its_spelling(spelling, logger):
    lines = listen(logger)
    logger.error("asked %s and %r", URL("http://pbx"), spelling)
    logger.error(f"asked {spelling}")
    logger.error("asked %(key)s", {"key": spelling})

    assert len(lines) == 3
    assert not any("s3cr3t" in line for line in lines)


@pytest.mark.usefixtures("undo")
def test_a_traceback_with_a_secret_is_logged_without_it(logger):
    lines = listen(logger)
    try:
        try:
            raise ValueError(f"http://pbx/key/{quote(KEY)}")
        except ValueError as error:
            raise RuntimeError(KEY) from error
    except RuntimeError:
        logger.exception("It broke")

    assert "RuntimeError: ***" in lines[0]
    assert "ValueError: http://pbx/key/***" in lines[0]


@pytest.mark.usefixtures("undo")
def test_a_traceback_without_a_secret_is_logged_as_ever(logger):
    lines = listen(logger)
    try:
        raise RuntimeError("plain")
    except RuntimeError:
        logger.exception("It broke")

    assert lines[0].startswith("It broke\nTraceback")
    assert lines[0].endswith("RuntimeError: plain")


@pytest.mark.usefixtures("undo")
def test_the_access_line_of_uvicorn_keeps_its_shape(logger):
    lines = listen(logger, AccessFormatter("%(client_addr)s %(request_line)s %(status_code)s"))
    path = f"/hook/{quote(KEY, safe='')}/api"
    logger.error('%s - "%s %s HTTP/%s" %d', "10.0.0.1:1", "GET", path, "1.1", 200)

    assert lines == ["10.0.0.1:1 GET /hook/***/api HTTP/1.1 200 OK"]


@pytest.mark.usefixtures("undo")
def test_the_coloured_message_of_uvicorn_is_clean_too():
    handlers_there_before = logging.getLogger("uvicorn.error")
    lines = listen(handlers_there_before, DefaultFormatter("%(message)s", use_colors=True))
    handlers_there_before.error("plain", extra={"color_message": f"coloured {KEY}"})
    handlers_there_before.handlers.clear()

    assert lines == ["coloured ***"]


@pytest.mark.usefixtures("undo")
def test_a_wrong_log_call_neither_fails_nor_shows_a_secret(logger):
    lines = listen(logger)
    logger.error("%d calls of %s", KEY)

    assert lines == ["%d calls of %s"]


def test_the_redaction_can_be_taken_back(logger):
    before = logging.getLogRecordFactory()
    undo = install_redaction([Secret(KEY)])
    undo()
    lines = listen(logger)
    logger.error(KEY)

    assert logging.getLogRecordFactory() is before
    assert lines == [KEY]
