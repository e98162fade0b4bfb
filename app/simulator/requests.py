"""Remembers which API requests reached the PBX, without the key."""

import time
from collections import deque
from typing import Any

KEPT = 1000
REDACTED = "***"


class RequestLog:
    def __init__(self, key: str) -> None:
        self._key = key
        self._kept: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def note(self, method: str, path: str, body: object, status: int) -> None:
        entry = {"at": round(time.time(), 3), "method": method, "path": self._path(path)}
        self._kept.append(entry | {"body": self._body(body), "status": status})

    def entries(self) -> list[dict[str, Any]]:
        return list(self._kept)

    def clear(self) -> None:
        self._kept.clear()

    def _path(self, path: str) -> str:
        # A wrong key is somebody's key too: whatever stands in its place goes.
        head, mark, tail = path.partition("/key/")
        rest = tail.partition("/")
        return f"{head}{mark}{REDACTED}{rest[1]}{rest[2]}" if mark else path

    def _body(self, body: object) -> object:
        if not isinstance(body, dict):
            return None
        return {name: REDACTED if name == "key" else value for name, value in body.items()}
