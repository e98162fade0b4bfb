"""Whether a request comes from our own pages: its Origin against the configured public address."""

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers

DEFAULT_PORTS = {"http": 80, "https": 443}
LOCAL = re.compile(r"(.+\.)?localhost|127(\.\d+){3}|::1")


def origin_of(url: str) -> tuple[str, str, int] | None:
    """(scheme, host, port) of an address; None for what is none, such as "null"."""
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    if not parts.hostname or not port:
        return None
    return parts.scheme, parts.hostname, port


def is_ours(headers: Headers, public_url: str) -> bool:
    """Exactly one Origin, and exactly ours: a missing one is a stranger's."""
    origins = headers.getlist("origin")
    return len(origins) == 1 and origin_of(origins[0]) == origin_of(public_url) is not None


def is_readable_on_the_way(public_url: str) -> bool:
    """It leaves the machine unencrypted, passwords and telephone numbers included."""
    parts = urlsplit(public_url)
    return parts.scheme == "http" and not LOCAL.fullmatch(parts.hostname or "")
