"""What every event has. The events themselves are in `events`, where all of them can be found.

None has slots: reading a log fills a dictionary in half the time.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Event:
    """One thing that happened. `flags` names descriptive fields that were dropped or are odd.

    `epoch`: in the name of which owner of the site it was written, where several nodes serve it;
    once a later owner has written, what an earlier one writes is void. 0: not as the owner.
    """

    flags: tuple[str, ...] = ()
    epoch: int = field(default=0, kw_only=True)
