"""Whether the PBX says that it did what it was asked. Pure.

A PBX says "no" with HTTP 200 as often as not, so the body decides.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from app.pbx.reading import EXTENSION_NAMES, MAX_DEPTH, NOT_JSON, WRAPPERS, flag_of, parse


class Verdict(Enum):
    """DONE also where an answer in JSON complains of nothing; UNCLEAR where it is no answer."""

    DONE = auto()
    REFUSED = auto()
    UNCLEAR = auto()


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict and, where there are any, the PBX's own words (not yet redacted)."""

    verdict: Verdict
    words: str = ""


# To search more for words of complaint would hold up the board.
LONGEST_WORDS = 4096

ENTRY_NAMES = (*EXTENSION_NAMES, "callid")
SUCCESS_NAMES = ("success", "ok", "succeeded", "issuccess")
RESULT_NAMES = ("status", "result", "state", "response")
ERROR_NAMES = ("error", "errors", "err", "error_message", "errormessage", "errmsg")
CODE_NAMES = ("code", "error_code", "errorcode", "errcode", "status_code", "statuscode")
WORDS_NAMES = ("message", "msg", *ERROR_NAMES, "description", "reason", "detail")

ERROR_WORDS = frozenset({"error", "fail", "failed", "failure", "false", "nok", "ko", "denied"})
DONE_WORDS = frozenset({"success", "successful", "ok", "done", "accepted", "true", "1", "queued"})
NO_ERROR_WORDS = frozenset({"", "0", "00", "false", "none", "null", "no", "no error", "ok"})
NO_ERROR_CODE = re.compile(r"|0+|2[0-9]{2}|ok|success|none", re.IGNORECASE)
COMPLAINT = re.compile(
    r"(?<!no )(?<!without )(?<!\b0 )\b(?:errors?|fail(?:ed|ure|s)?|invalid|denied"
    r"|unauthori[sz]ed|forbidden|wrong|incorrect|not|missing|expired|exception|unable|cannot|unknown|refused|rejected"
    r"|lỗi|sai|không|thất bại)\b",
    re.IGNORECASE,
)
PRAISE = re.compile(r"\b(?:success(?:ful|fully)?|ok|accepted|done|queued|thành công)\b", re.I)


def judge_action(text: str) -> Judgement:
    """Of the answer to a request to do something (spy, pause)."""
    value = parse(text)
    if isinstance(value, dict | list):
        return _judge_objects(value, with_entries=True) or Judgement(Verdict.DONE)
    return judge_text(_plain(value, text))


def judge_question(value: Any, text: str) -> Judgement:
    """Of the answer to a question, as `parse` read it: UNCLEAR when it is no list or object."""
    if isinstance(value, dict | list):
        return _judge_objects(value, with_entries=False) or Judgement(Verdict.DONE)
    judgement = judge_text(_plain(value, text))
    is_refused = judgement.verdict is Verdict.REFUSED
    return judgement if is_refused else Judgement(Verdict.UNCLEAR, judgement.words)


def judge_dial(text: str) -> Judgement:
    """Of the answer to click-to-call: only the word "Success", or a true in JSON, means placed.

    A call that was placed and is shown as refused would be placed again, and the customer rung
    twice.
    """
    value = parse(text)
    if isinstance(value, dict | list):
        complaint = _judge_objects(value, with_entries=True)
        parts = _objects(value, with_entries=True)
        praised = any(_says_success(each) or _says_true(each) for each in parts)
        placed = complaint is None and praised
    else:
        complaint, placed = None, _plain(value, text).strip(" \r\n\t'\".!").lower() == "success"
    if placed:
        return Judgement(Verdict.DONE)
    if complaint is None and (_is_page(text) or not text.strip()):
        return Judgement(Verdict.UNCLEAR)
    return complaint or Judgement(Verdict.REFUSED, text)


def judge_text(text: str) -> Judgement:
    """Of plain words. No words at all is how many servers say that all is well."""
    words = text.strip()[:LONGEST_WORDS]
    if _is_page(words):
        return Judgement(Verdict.UNCLEAR)
    if COMPLAINT.search(words) or words.lower() in ERROR_WORDS:
        return Judgement(Verdict.REFUSED, words)
    is_done = not words or words.lower() in DONE_WORDS or PRAISE.search(words)
    return Judgement(Verdict.DONE if is_done else Verdict.UNCLEAR, words)


def refusal_words(text: str) -> str:
    """The PBX's own words in an answer that is a refusal by its HTTP status; "" for a page."""
    value = parse(text)
    if isinstance(value, dict | list):
        return next((w for each in _objects(value, with_entries=True) if (w := _words(each))), "")
    return "" if _is_page(text) else text


def _judge_objects(value: Any, *, with_entries: bool) -> Judgement | None:
    for each in _objects(value, with_entries=with_entries):
        if _complains(each):
            return Judgement(Verdict.REFUSED, _words(each))
    return None


def _objects(value: Any, *, with_entries: bool, depth: int = 0) -> Iterator[dict[str, Any]]:
    """The objects that speak of the request as a whole: the outer one and those in wrappers.

    An entry, which speaks of one extension or call, has words of its own: its status is theirs.
    """
    if depth > MAX_DEPTH:
        return
    if isinstance(value, list):
        for item in value if with_entries else value[:1]:
            yield from _objects(item, with_entries=with_entries, depth=depth + 1)
    elif isinstance(value, dict):
        fields = {name.strip().lower(): inner for name, inner in value.items()}
        if with_entries or not any(name in fields for name in ENTRY_NAMES):
            yield fields
        for name in WRAPPERS & fields.keys():
            yield from _objects(fields[name], with_entries=with_entries, depth=depth + 1)


def _complains(fields: Mapping[str, Any]) -> bool:
    said_yes = _says_success(fields)
    return (
        any(flag_of(fields[name]) is False for name in SUCCESS_NAMES if name in fields)
        or any(_is_error_result(fields.get(name)) for name in RESULT_NAMES)
        or any(_is_error(fields.get(name)) for name in ERROR_NAMES)
        or any(_is_error_code(fields.get(name)) for name in CODE_NAMES)
        or (not said_yes and COMPLAINT.search(_words(fields)) is not None)
    )


def _says_success(fields: Mapping[str, Any]) -> bool:
    flags = (flag_of(fields.get(name)) for name in SUCCESS_NAMES)
    words = (str(fields.get(name)).strip().lower() for name in (*RESULT_NAMES, *WORDS_NAMES))
    return any(flags) or any(word in ("success", "successful") for word in words)


def _says_true(fields: Mapping[str, Any]) -> bool:
    return any(fields.get(name) is True for name in RESULT_NAMES)


def _is_error_result(value: object) -> bool:
    """`"status": 0` is no error: an answer to "unpause" may repeat the request."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value >= 400
    return isinstance(value, str) and value.strip().lower() in ERROR_WORDS


def _is_error(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().lower() not in NO_ERROR_WORDS
    return bool(value)


def _is_error_code(value: object) -> bool:
    if value is None or isinstance(value, bool | list | dict):
        return False
    return NO_ERROR_CODE.fullmatch(str(value).strip()) is None


def _words(fields: Mapping[str, Any]) -> str:
    texts = (fields.get(name) for name in WORDS_NAMES)
    return next((text for text in texts if isinstance(text, str) and text.strip()), "")


def _plain(value: Any, text: str) -> str:
    """A bare JSON string, number or true/false is as good as the text without quotes."""
    if value is NOT_JSON or isinstance(value, bool):
        return text
    return "" if value is None else str(value)


def _is_page(text: str) -> bool:
    return text.lstrip().startswith("<")
