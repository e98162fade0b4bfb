"""What an event changed about one call, in a few words that any language can be made of.

A change is a list of texts: a word of WORDS, then the extension or queue it speaks of (and who).
"""

from typing import NamedTuple

from app.domain.model import Call
from app.domain.states import LegState, Outcome

Change = list[str]

# The words and what they are about, in English.
WORDS = {
    "enters": "waits in queue {0}",
    "rings": "rings at {0}",
    "quiet": "no longer rings at {0}",
    "talks": "{0} talks",
    "leaves": "{0} is no longer in the call",
    "answered": "counted in queue {0} as answered by {1}",
    "abandoned": "counted in queue {0} as abandoned",
    "otherwise": "counted in queue {0} as left in another way",
    "open": "waits in queue {0} again",
    "waiting": "nobody talks with the caller any more",
    "ended": "the call is over",
    "lost": "the call is lost: nothing was heard of it any more",
    "found": "the call is not lost after all",
    "doubt": "in doubt: the reports contradict each other",
    "sure": "no longer in doubt",
    "record": "the PBX's record of the call is kept",
}


class Mark(NamedTuple):
    """What can be said of a call at one moment. A tuple: there is one for each event of a call."""

    state: str = ""
    lost: bool = False
    in_doubt: bool = False
    ringing: frozenset[str] = frozenset()
    talking: frozenset[str] = frozenset()
    visits: tuple[tuple[str, Outcome, str], ...] = ()
    records: int = 0


NOTHING = Mark()
# There are as many marks as calls, most of which ring and talk no more.
NOBODY: frozenset[str] = frozenset()


def mark_of(call: Call) -> Mark:
    """The call as it stands."""
    ringing, talking = [], []
    for extension, leg in call.legs.items():
        if leg.state is LegState.RINGING:
            ringing.append(extension)
        elif leg.state is LegState.TALKING:
            talking.append(extension)
    return Mark(
        call.state,
        call.lost,
        call.in_doubt,
        frozenset(ringing) if ringing else NOBODY,
        frozenset(talking) if talking else NOBODY,
        tuple([(visit.queue, visit.outcome, visit.agent) for visit in call.visits]),
        len(call.records),
    )


def changes_between(before: Mark, after: Mark) -> list[Change]:
    """What is different now, in the order in which people would tell it."""
    if before == after:
        return []
    changes = [] if before.visits == after.visits else _visit_changes(before, after)
    changes += [["talks", ext] for ext in sorted(after.talking - before.talking)]
    changes += [["rings", ext] for ext in sorted(after.ringing - before.ringing)]
    still = after.ringing | after.talking
    changes += [["quiet", ext] for ext in sorted(before.ringing - still)]
    changes += [["leaves", ext] for ext in sorted(before.talking - still)]
    if after.records > before.records:
        changes.append(["record"])
    return changes + _state_changes(before, after)


def _visit_changes(before: Mark, after: Mark) -> list[Change]:
    changes: list[Change] = []
    for n, visit in enumerate(after.visits):
        queue, outcome, agent = visit
        was = before.visits[n] if n < len(before.visits) else None
        if was is None and outcome is Outcome.OPEN:
            changes.append(["enters", queue])
        elif was is None or was[1:] != visit[1:]:
            changes.append([str(outcome), queue, agent])
    return changes


def _state_changes(before: Mark, after: Mark) -> list[Change]:
    changes: list[Change] = []
    if after.in_doubt != before.in_doubt:
        changes.append(["doubt" if after.in_doubt else "sure"])
    if after.lost != before.lost:
        changes.append(["lost" if after.lost else "found"])
    elif after.state != before.state and after.state == "ended":
        changes.append(["ended"])
    elif before.state == "answered" and after.state == "waiting":
        changes.append(["waiting"])
    return changes


def in_words(change: Change) -> str:
    """The change in English."""
    word, *about = change
    return WORDS[word].format(*about, "", "")
