"""Which site a line of the log is about: that of the task, or thread, which wrote it."""

import logging
from contextvars import ContextVar

SITE = ContextVar("site", default="")
"""The name of the site that what runs now works for; "" for none, or the only one."""

FORMAT = "%(levelname)s %(site)s%(name)s: %(message)s"


class OfASite(logging.Filter):
    """For a handler whose formatter has FORMAT."""

    def filter(self, record: logging.LogRecord) -> bool:
        site = SITE.get()
        record.site = f"[{site}] " if site else ""
        return True
