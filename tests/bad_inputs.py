"""Reads `data/bad-inputs.json`: placeholders and generators in, raw HTTP requests out."""

import base64
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.receiver import ZONE, Receiver

FILE: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "bad-inputs.json").read_text())
GROUPS = (
    "accept-odd",
    "bad-field",
    "bad-body",
    "bad-encoding",
    "webhook-auth",
    "output-escaping",
    "size",
    "protocol",
)
PLACEHOLDER = re.compile(r"\{(hook[a-z0-9-]*|token|wall|admin-session|new|now[-+][0-9a-z]+)\}")

Case = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """The bytes of a case, the call's own id, and the values that the parameters had."""

    raw: bytes
    method: str
    callid: str
    values: dict[str, str]


def receiver_cases() -> list[Case]:
    """The cases that need a receiver and nothing else: no person, no sequence, no fault."""
    return [
        case
        for case in FILE["cases"]
        if case["group"] in GROUPS and case.get("transport") != "sequence" and "as" not in case
    ]


class Builder:
    """Makes the requests of one case; `{new}` is the same call throughout it."""

    def __init__(self, receiver: Receiver) -> None:
        self.callid = secrets.token_hex(6)
        now = datetime.now(ZONE)
        token = receiver.token
        self._words: dict[str, str] = {
            "hook": f"/hook/{token}",
            "hook-1": f"/hook/{token[:-1]}",
            "hook-swapcase": f"/hook/{token.swapcase()}",
            "hook-revoked": f"/hook/{receiver.revoked}",
            "hook-previous": f"/hook/{receiver.previous}",
            "token": token,
            "wall": secrets.token_urlsafe(32),
            "admin-session": secrets.token_urlsafe(32),
            "new": self.callid,
            "now-60s": f"{now - timedelta(seconds=60):%Y-%m-%d %H:%M:%S}",
            "now+2d": f"{now + timedelta(days=2):%Y-%m-%d %H:%M:%S}",
        }

    def build(self, case: Case) -> Request:
        """The request as bytes. Only a query may have to be encoded; the rest is sent as it is."""
        method = case.get("method", "GET")
        if "raw_prefix" in case:
            return Request(self.text(case["raw_prefix"]).encode(), method, self.callid, {})
        body, headers = self._body(case), {"Host": "pitwall.test", **self._headers(case)}
        if body and not {"Content-Length", "Transfer-Encoding"} & set(headers):
            headers["Content-Length"] = str(len(body))
        head = [f"{method} {self._target(case)} HTTP/1.1"]
        head += [f"{name}: {value}" for name, value in headers.items()]
        raw = "\r\n".join([*head, "", ""]).encode("latin-1") + body
        return Request(raw, method, self.callid, self._values(case))

    def text(self, value: Any) -> str:
        """Generators run, placeholders replaced."""
        if isinstance(value, dict):
            [(generator, arguments)] = value.items()
            return GENERATORS[generator](self, arguments)
        return PLACEHOLDER.sub(self._word, str(value))

    def _target(self, case: Case) -> str:
        # `/h/` in the file is this project's `/hook/`.
        path = re.sub(r"^/h/", "/hook/", self.text(case["path"]))
        if "allow-list" in case.get("given", ""):
            # Here the allow-list opens the paths without a token, and only those.
            path = path.removeprefix(self._words["hook"])
        if "raw_query" in case:
            return f"{path}?{self.text(case['raw_query'])}"
        query = self._values({"query": case.get("query", {})})
        return f"{path}?{urlencode(query)}" if query else path

    def _values(self, case: Case) -> dict[str, str]:
        told = {name: self.text(value) for name, value in case.get("query", {}).items()}
        body = {k: self.text(v) for k, v in case.get("json", {}).items() if isinstance(v, str)}
        return told | body

    def _headers(self, case: Case) -> dict[str, str]:
        implied = {"Content-Type": "application/json"} if "json" in case else {}
        told = {name: self.text(value) for name, value in case.get("headers", {}).items()}
        return implied | told

    def _body(self, case: Case) -> bytes:
        if "body_b64" in case:
            return base64.b64decode(case["body_b64"])
        if "json" in case:
            return PLACEHOLDER.sub(self._word, json.dumps(case["json"])).encode()
        return self.text(case.get("body", "")).encode()

    def _word(self, found: re.Match[str]) -> str:
        return self._words[found.group(1)]


def _chunks(builder: Builder, arguments: list[Any]) -> str:
    text, size, count = arguments
    return "".join([f"{size:x}\r\n{text * size}\r\n"] * count)


GENERATORS: dict[str, Callable[[Builder, Any], str]] = {
    "$repeat": lambda builder, arguments: builder.text(arguments[0]) * arguments[1],
    "$concat": lambda builder, parts: "".join(map(builder.text, parts)),
    "$chunks": _chunks,
    "$fields": lambda builder, count: "&".join(f"f{n}=1" for n in range(count)),
}
