"""Who sees what of the floor, and in which order: decided on values, before any HTML exists."""

import unicodedata
from dataclasses import dataclass, replace
from typing import TypeVar

from app.domain.alarm_view import AlarmRow
from app.domain.view import AbandonRow, AgentCard, WaitingRow

DIGITS_SHOWN = 3
# Anything this short is an extension, not somebody's number.
EXTENSION_DIGITS = 5
# What each layout of a wall holds; any other page holds everything.
LAYOUTS = {
    "overview": frozenset({"totals", "counts", "tiles", "agents", "alarms"}),
    "queue": frozenset({"totals", "counts", "waiting", "agents", "alarms"}),
    "agents": frozenset({"counts", "agents", "alarms"}),
}
# Who may know that somebody listens: whoever could, and whoever reads the audit. No wall is among
# them, for it hangs where the agent sees it.
KNOWING = frozenset({"listen", "whisper", "barge", "customer", "read_audit"})
# The events that tell it, by the log's names for them.
LISTENING = frozenset({"listen_started", "listen_ended"})
# Who looks after alarms: whoever may do something on the floor.
ATTENDING = frozenset({"listen", "whisper", "barge", "customer", "pause", "call"})

Row = TypeVar("Row", WaitingRow, AbandonRow)


@dataclass(frozen=True, slots=True)
class Audience:
    """All who get the same HTML. `queues` None: all of them; `order` is extension or name.

    `acts` are the names of their rights; "phone" among them says that they have an extension of
    their own, "pbx" that there is a PBX to act through.
    `layout` is a wall's; `hidden`: no part of a caller's number is in the HTML.
    """

    page: str = "board"
    layout: str = ""
    language: str = "en"
    acts: frozenset[str] = frozenset()
    queues: frozenset[str] | None = None
    masked: bool = False
    hidden: bool = False
    order: str = "extension"

    @property
    def may_acknowledge(self) -> bool:
        """They may take an alarm on, or silence it for a while."""
        return bool(self.acts & ATTENDING)

    def may_know_of(self, kind: str) -> bool:
        """Whether events of this kind, as the log names it, are told to them."""
        return kind not in LISTENING or bool(self.acts & KNOWING)

    def sees(self, queue: str) -> bool:
        """Whether this queue is within the audience's scope."""
        return self.queues is None or queue in self.queues

    def holds(self, part: str) -> bool:
        """Whether the page has this part at all."""
        return self.page != "wall" or part in LAYOUTS.get(self.layout, LAYOUTS["overview"])

    def cards(self, cards: list[AgentCard]) -> list[AgentCard]:
        """The cards within scope, as they may be seen, in a fixed order: never by status."""
        shown = [self.card(card) for card in cards if self.sees_agent(card)]
        return sorted(shown, key=_by_name if self.order == "name" else _by_extension)

    def sees_agent(self, card: AgentCard) -> bool:
        """An agent is within scope with any queue that is; one of no queue only for all queues."""
        return self.queues is None or not self.queues.isdisjoint(card.queues)

    def card(self, card: AgentCard) -> AgentCard:
        """The card as it may be seen: a call of another's queue shows only that there is one."""
        if card.queue and not self.sees(card.queue):
            card = replace(card, phone="", queue="")
        visible = tuple(queue for queue in card.queues if self.sees(queue))
        listeners = card.listeners if self.acts & KNOWING else ()
        phone = self.number(card.phone)
        if (phone, visible, listeners) == (card.phone, card.queues, card.listeners):
            # Most see most cards as they are, and there are thousands.
            return card
        return replace(card, phone=phone, queues=visible, listeners=listeners)

    def rows(self, rows: list[Row]) -> list[Row]:
        """The rows within scope, as they may be seen."""
        return [self._row(row) for row in rows if self.sees(row.queue)]

    def _row(self, row: Row) -> Row:
        phone = self.number(row.phone)
        # Most see it as it is, and there are a hundred in each frame.
        return row if phone == row.phone else replace(row, phone=phone)

    def alarms(self, rows: list[AlarmRow]) -> list[AlarmRow]:
        """The alarms within scope, in their order; those about no queue are everybody's."""
        return [row for row in rows if self.sees_alarm(row.queues)]

    def sees_alarm(self, queues: frozenset[str] | None) -> bool:
        """An alarm about these queues is within scope; None: about the floor as a whole."""
        return self.queues is None or queues is None or not self.queues.isdisjoint(queues)

    def number(self, phone: str) -> str:
        """A caller's number, perhaps with all but its last three digits hidden, or all of them."""
        if len(phone) <= EXTENSION_DIGITS or not (self.masked or self.hidden):
            return phone
        return "" if self.hidden else "•••" + phone[-DIGITS_SHOWN:]


def folded(*texts: str) -> str:
    """Lower case without accents, as people type when they search: "Đặng" is found by "dang"."""
    apart = unicodedata.normalize("NFKD", " ".join(texts).casefold().replace("đ", "d"))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _by_extension(card: AgentCard) -> tuple[bool, int, str]:
    """9 before 10 before 100; what is no number comes last."""
    number = card.extension.isascii() and card.extension.isdigit()
    return (not number, int(card.extension) if number else 0, card.extension)


def _by_name(card: AgentCard) -> tuple[bool, str, tuple[bool, int, str]]:
    """By name, nameless ones last, namesakes by extension."""
    return (not card.name, folded(card.name), _by_extension(card))
