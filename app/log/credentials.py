"""How Pitwall shows the NATS servers who it is, and how it knows them.

TLS begins before a word is said, so nobody in between can ask for the password in clear. The
servers need `handshake_first: true` for that.
"""

import ssl
from pathlib import Path
from typing import Any

from app.log import LogUnavailable
from app.log.address import Address

SYSTEM = "yes"


def options_for(address: Address) -> dict[str, Any]:
    """Options of the client's `connect`. Raises LogUnavailable for files that can't be used."""
    return _secret(address.credentials) | _encryption(address.tls)


def _secret(path: str) -> dict[str, Any]:
    if not path:
        return {}
    try:
        told = Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise LogUnavailable(
            f"The credentials for the NATS servers in {path} can't be read: {_kind(error)}."
        ) from None
    if not told or "\n" in told:
        raise LogUnavailable(
            f"The file {path} is expected to hold one line: USER:PASSWORD, or a token."
        )
    user, colon, password = told.partition(":")
    return {"user": user, "password": password} if colon else {"token": told}


def _encryption(tls: str) -> dict[str, Any]:
    if not tls:
        return {}
    try:
        context = ssl.create_default_context(cafile=None if tls == SYSTEM else tls)
    except OSError as error:
        raise LogUnavailable(
            f"The certificates in {tls}, to check the NATS servers' by, can't be used: "
            f"{_kind(error)}. PITWALL_LOG expects tls=FILE or tls=yes."
        ) from error
    return {"tls": context, "tls_handshake_first": True}


def _kind(error: Exception) -> str:
    # Not the error itself: one of decoding would show what is in the file.
    return getattr(error, "strerror", None) or type(error).__name__
