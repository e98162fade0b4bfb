"""The PBX's call records → CallRecorded, by the rules for the fields of webhooks. Pure."""

import re
from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Any

from app.domain.events import CallRecorded
from app.pbx import WebhookError
from app.pbx.fields import EXTENSION, Fields
from app.pbx.reading import MAX_DEPTH

# A caller's name may stand before the number: "Ann" <0901234567>.
NAMED_NUMBER = re.compile(r'[^<>]*<([^<>]+)>\s*"?')


def records_in(value: Any, now: int, zone: tzinfo) -> tuple[list[CallRecorded], int]:
    """The records in an answer, and how many rows could not be read. `now` in ms."""
    found: list[CallRecorded] = []
    unreadable = 0
    for row in _rows(value, 0):
        try:
            found.append(_record(_params(row), now, zone))
        except WebhookError:
            unreadable += 1
    return found, unreadable


def _rows(value: Any, depth: int) -> Iterator[dict[str, str]]:
    """Every object with a `callid`, however nested, with its texts and numbers."""
    if depth > MAX_DEPTH or not isinstance(value, list | dict):
        return
    fields: dict[str, Any] = {}
    if isinstance(value, dict):
        fields = {name.strip().lower(): inner for name, inner in value.items()}
    if "callid" in fields:
        yield {name: _scalar(inner) for name, inner in fields.items()}
        return
    for inner in fields.values() if fields else value:
        yield from _rows(inner, depth + 1)


def _params(row: Mapping[str, str]) -> dict[str, str]:
    """A row in the words of the `calldata` webhook."""
    near, far = _number(row, "callerid"), _number(row, "destination")
    if row.get("direction", "").strip().lower() != "outbound":
        near, far = far, near
    return {
        **row,
        "extension": row.get("extension") or near,
        "phone": row.get("phone") or far,
        "recordingfile": row.get("recordingpath") or row.get("recordingfile", ""),
    }


def _record(params: dict[str, str], now: int, zone: tzinfo) -> CallRecorded:
    fields = Fields(params, now, zone)
    duration = fields.seconds("duration")
    is_extension = EXTENSION.fullmatch(params["extension"].strip()) is not None
    return CallRecorded(
        callid=fields.callid(),
        status=fields.call_status(),
        extension=fields.extension() if is_extension else "",
        phone=fields.optional_phone("phone"),
        did=fields.optional_phone("did"),
        direction=fields.direction(),
        started=(started := fields.started(duration)),
        duration=duration,
        billsec=fields.billsec(duration),
        recording=fields.recording(),
        fetched=True,
        flags=_flags(fields, started),
    )


def _flags(fields: Fields, started: int | None) -> tuple[str, ...]:
    """A webhook about an old call is odd, a record of one is not."""
    return tuple(flag for flag in fields.flags if flag != "calldate" or started is None)


def _number(row: Mapping[str, str], name: str) -> str:
    text = row.get(name, "").strip()
    named = NAMED_NUMBER.fullmatch(text)
    return named[1].strip() if named else text


def _scalar(value: object) -> str:
    is_plain = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value) if is_plain else ""
