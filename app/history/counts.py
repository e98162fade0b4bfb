"""Raw counts of visits, and the figures read from them by the formulas of `domain.figures`.

T and the short limit belong to each queue, so they are applied where visits are counted; the
variant is chosen when a figure is read. Counts add up; percentages never do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

import msgspec

from app.domain.figures import TENTHS, VARIANTS, ratio
from app.domain.model import Queue
from app.domain.view import Figures

DEFAULT = Queue("")


@dataclass(slots=True)
class Counts:
    """Of the visits that arrived in one span: numbers of visits, sums in ms, waits in tenths."""

    answered: int = 0
    abandoned: int = 0
    otherwise: int = 0
    answered_in_t: int = 0
    abandoned_short: int = 0
    abandoned_in_t: int = 0
    wait_ms: int = 0
    talk_ms: int = 0
    talked: int = 0
    longest: int = -1

    def add(self, other: "Counts") -> None:
        """Take the other's visits in as well."""
        for field in fields(self):
            if field.name != "longest":
                both = getattr(self, field.name) + getattr(other, field.name)
                setattr(self, field.name, both)
        self.longest = max(self.longest, other.longest)

    def figures(self, variant: str, t: int | None) -> Figures:
        """All figures; `t` is printed beside the service level, it was applied before."""
        offered = self.answered + self.abandoned + self.otherwise
        return Figures(
            offered=offered,
            answered=self.answered,
            abandoned=self.abandoned,
            abandoned_short=self.abandoned_short,
            otherwise=self.otherwise,
            answered_in_t=self.answered_in_t,
            service_level=VARIANTS[variant](
                self.answered,
                self.answered_in_t,
                self.abandoned,
                self.abandoned_short,
                self.abandoned_in_t,
            ),
            service_level_s=t,
            service_level_variant=variant,
            abandon_rate=ratio(self.abandoned, offered),
            abandon_rate_strict=ratio(
                self.abandoned - self.abandoned_short, offered - self.abandoned_short
            ),
            asa_s=ratio(self.wait_ms / 1000, self.answered),
            aht_s=ratio(self.talk_ms / 1000, self.talked),
            max_wait_s=self.longest / TENTHS if self.longest >= 0 else None,
        )


def total(counts: Iterable[Counts]) -> Counts:
    """All of them together."""
    whole = Counts()
    for one in counts:
        whole.add(one)
    return whole


def limits_json(queues: Mapping[str, Queue]) -> str:
    """Each queue's T and short limit, in tenths of a second, for COUNTED."""
    rows = {
        name: [queue.service_level_s * TENTHS, queue.short_abandon_s * TENTHS]
        for name, queue in queues.items()
    }
    return msgspec.json.encode(rows).decode()


# One row per slot and queue, in the order of Counts. ?1 begin, ?2 end, ?3 slot (ms), ?4 limits.
# "Within" counts whole tenths and includes the limit, as the live figures do.
COUNTED = f"""
WITH set_limit AS (
    SELECT key AS queue, value ->> 0 AS t, value ->> 1 AS s FROM json_each(?4)
), slotted AS (
    SELECT (seen_at - ?1) / ?3 AS slot, queue, outcome, wait_ms, talk_ms, wait_ms / 100 AS tenths
    FROM visit WHERE counted = 1 AND seen_at >= ?1 AND seen_at < ?2
)
SELECT slot, slotted.queue,
    sum(outcome = 'answered'), sum(outcome = 'abandoned'), sum(outcome = 'otherwise'),
    sum(outcome = 'answered' AND tenths <= coalesce(t, {DEFAULT.service_level_s * TENTHS})),
    sum(outcome = 'abandoned' AND tenths <= coalesce(s, {DEFAULT.short_abandon_s * TENTHS})),
    sum(outcome = 'abandoned' AND tenths <= coalesce(t, {DEFAULT.service_level_s * TENTHS})),
    coalesce(sum(wait_ms) FILTER (WHERE outcome = 'answered'), 0),
    coalesce(sum(talk_ms) FILTER (WHERE outcome = 'answered'), 0),
    count(talk_ms) FILTER (WHERE outcome = 'answered'),
    coalesce(max(tenths) FILTER (WHERE outcome IN ('answered', 'abandoned')), -1)
FROM slotted LEFT JOIN set_limit ON set_limit.queue = slotted.queue
GROUP BY slot, slotted.queue
"""  # noqa: S608 numbers of our own
