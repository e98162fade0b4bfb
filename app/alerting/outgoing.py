"""One message to one address by apprise. Blocking, for a thread; never names the address."""

import logging
from functools import cache
from typing import Any

REFUSED = "The service refused the message, or could not be reached."


@cache
def _library() -> Any:
    """apprise, imported when a first message is sent: it takes half a second.

    Its own log lines, and those of what it sends with, would name addresses.
    """
    import apprise

    for name in ("apprise", "urllib3", "requests"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return apprise


def _opened(url: str) -> Any:
    library = _library()
    asset = library.AppriseAsset(app_id="Pitwall", app_desc="Pitwall", async_mode=False)
    sender = library.Apprise(asset=asset)
    return sender if sender.add(url) else None


def is_address(url: str) -> bool:
    """apprise knows what to do with it."""
    return _opened(url) is not None


def send(url: str, title: str, body: str) -> str:
    """Send it; returns what went wrong, "" for nothing."""
    sender = _opened(url)
    if sender is None:
        return "The address is none that this version can send to."
    return "" if sender.notify(title=title, body=body, body_format="text") else REFUSED
