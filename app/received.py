"""One webhook as the diagnostics page tells it: what it said, as far as that may be told.

Numbers are masked, and of a parameter that no webhook has only the name is told, if that.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from app.masking import masked
from app.pbx.parameters import UNREADABLE, parse_query

SAMPLE_LENGTH = 256
# What anything else holds is nobody's business.
FIELDS = frozenset(
    "callid extension queue phone did event status"
    " calldate duration billsec holdtime direction recordingfile".split()
)
BODY = "body"
# What is refused may have one of these fields by another name; a longer one may be a secret.
PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z_-]{0,23}")


class Received(msgspec.Struct):
    """One webhook as it came. Stored as `seq`, or refused (None); `flags` names dropped fields.

    `told` is the parameters that may be told of, or the query string: nearly all are let go without
    ever being looked at, and keeping a dictionary of each would cost a tenth of a webhook.
    """

    at: int
    peer: str
    endpoint: str
    told: Mapping[str, str] | bytes
    seq: int | None
    flags: tuple[str, ...] = ()
    field: str = ""
    reason: str = ""

    @property
    def parameters(self) -> Mapping[str, str]:
        """Those that may be told of."""
        return of_stored(parse_query(self.told)) if isinstance(self.told, bytes) else self.told

    def shown(self) -> dict[str, str]:
        """The parameters as a person may see them: numbers masked, long values cut."""
        return {
            name: "…" if value in UNREADABLE else masked(name, value)
            for name, value in self.parameters.items()
        }


@dataclass(frozen=True, slots=True)
class Rejected:
    """A webhook with a problem: refused, or stored as `seq` without the field that is named."""

    at: int
    peer: str
    endpoint: str
    field: str
    reason: str
    sample: str
    seq: int | None = None


def of_stored(params: Mapping[str, str]) -> dict[str, str]:
    """What has to do with a call."""
    return {name: value[:SAMPLE_LENGTH] for name, value in params.items() if name in FIELDS}


def of_refused(params: Mapping[str, str]) -> dict[str, str]:
    """Of a parameter that no webhook has, only that it came: it may hold anybody's secret."""
    others = {
        name: value[:SAMPLE_LENGTH] if name == BODY else "…"
        for name, value in params.items()
        if name not in FIELDS and PLAIN_NAME.fullmatch(name)
    }
    return of_stored(params) | others
