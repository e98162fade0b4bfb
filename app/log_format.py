"""How a line of the program's own log looks: for people, or as JSON for what gathers logs."""

import json
import logging
from datetime import UTC, datetime

from app.masking import MaskingFormatter
from app.setting_values import JSON
from app.sites.lines import FORMAT, SITE

# A message may quote what somebody sent; what it says stands at its beginning.
LONGEST = 2_000


def formatter_of(log_format: str) -> logging.Formatter:
    """For "text" or "json". Whichever it is, numbers are masked and no token is shown."""
    return JsonFormatter("%(message)s") if log_format == JSON else MaskingFormatter(FORMAT)


class JsonFormatter(MaskingFormatter):
    """An object a line: `at` (RFC 3339, UTC), `level`, `logger`, `message`, perhaps `site`.

    A traceback is a part of the message; more than 2,000 characters of that are cut in the middle.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever the record holds."""
        message = super().format(record)
        if len(message) > LONGEST:
            message = f"{message[: LONGEST // 2]} … {message[-LONGEST // 2 :]}"
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message,
        }
        if site := SITE.get():
            line["site"] = site
        return json.dumps(line)
