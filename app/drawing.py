"""One drawing of the floor: HTML for one audience, fragment by fragment.

Nothing here decides who may see what: `audience` did. What is as it was drawn last is not drawn.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol, cast

from jinja2 import Environment

from app.audience import Audience
from app.domain.alarm_view import AlarmRow
from app.domain.states import Status
from app.domain.turn import Changes
from app.domain.view import AbandonRow, AgentCard, QueueTile, Totals, WaitingRow
from app.filters import dom_id
from app.memo import Drawn, html_of

WAITING_SHOWN = 50
EVERYTHING = Changes(waiting=True, abandons=True, alarms=True, totals=True, roster=True)


class FloorView(Protocol):
    """What is read of the floor."""

    def agent_cards(self) -> list[AgentCard]: ...
    def agent_card(self, extension: str) -> AgentCard | None: ...
    def queue_tiles(self) -> list[QueueTile]: ...
    def some_tiles(self, queues: set[str]) -> list[QueueTile]: ...
    def queue_name(self, queue: str) -> str: ...
    def limit_s(self, queue: str) -> int: ...
    def waiting_rows(self) -> list[WaitingRow]: ...
    def abandon_rows(self, queues: frozenset[str] | None = None) -> list[AbandonRow]: ...
    def alarm_rows(self) -> list[AlarmRow]: ...
    def totals(self, queues: frozenset[str] | None = None) -> Totals: ...


@dataclass(frozen=True, slots=True)
class Drawing:
    """{dom id: html} and, where membership may have changed, {container id: ids in order}."""

    fragments: dict[str, str] = field(default_factory=dict)
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class Draw:
    """One drawing being made."""

    environment: Environment
    floor: FloorView
    audience: Audience
    drawn: Drawn
    drawing: Drawing = field(default_factory=Drawing)

    def draw(self, changes: Changes) -> Drawing:
        """What may look different after the changes."""
        whole, holds = changes.roster, self.audience.holds
        if whole:
            self._cards()
        else:
            self._some_cards(changes.agents)
        if whole and holds("tiles"):
            self._tiles()
        elif changes.queues and holds("tiles"):
            self._some_tiles(changes.queues)
        if (changes.waiting or whole) and holds("waiting"):
            self._waiting()
        if (changes.abandons or whole) and holds("abandons"):
            self._abandons()
        if (changes.alarms or whole) and holds("alarms"):
            self._alarms()
        if changes.totals or changes.abandons or changes.agents or whole:
            self._totals()
        return self.drawing

    def _cards(self) -> None:
        """All cards, in order."""
        shown = self.audience.cards(self.floor.agent_cards())
        drawn = {dom_id(card.extension, "a"): self._card(card) for card in shown}
        self._list("agents", drawn)

    def _some_cards(self, extensions: set[str]) -> None:
        """The cards of these agents, as far as they are in scope."""
        # In order: neighbours are alike, and a frame so compresses to two thirds.
        for extension in sorted(extensions):
            card = self.floor.agent_card(extension)
            if card and self.audience.sees_agent(card):
                html = self._card(self.audience.card(card))
                self.drawing.fragments[dom_id(extension, "a")] = html

    def _tiles(self) -> None:
        """All queues in scope, as the floor has them."""
        shown = [tile for tile in self.floor.queue_tiles() if self.audience.sees(tile.queue)]
        self._list("tiles", {dom_id(tile.queue, "q"): self._tile(tile) for tile in shown})

    def _some_tiles(self, queues: set[str]) -> None:
        """The tiles of these queues, as far as they are in scope."""
        for tile in self.floor.some_tiles(queues):
            if self.audience.sees(tile.queue):
                self.drawing.fragments[dom_id(tile.queue, "q")] = self._tile(tile)

    def _waiting(self) -> None:
        """Callers nobody has answered, the longest-waiting ones first."""
        rows = self.audience.rows(self.floor.waiting_rows())
        shown = rows[:WAITING_SHOWN]
        names = self._names(row.queue for row in shown)
        limits = [self.floor.limit_s(row.queue) for row in shown]
        self.drawing.fragments["waiting"] = html_of(
            self.drawn,
            "waiting",
            (shown, len(rows), names, limits),
            lambda: self._macro("_waiting.html", "waiting")(
                shown, len(rows), self.floor.queue_name, self.floor.limit_s
            ),
        )

    def _abandons(self) -> None:
        """The newest callers who gave up."""
        rows = self.audience.rows(self.floor.abandon_rows(self.audience.queues))
        names = self._names(row.queue for row in rows)
        self.drawing.fragments["abandons"] = html_of(
            self.drawn,
            "abandons",
            (rows, names),
            lambda: self._macro("_abandons.html", "abandons")(
                rows, self.floor.queue_name, self.audience.acts
            ),
        )

    def _alarms(self) -> None:
        """What is wrong now, the worst first."""
        rows = self.audience.alarms(self.floor.alarm_rows())
        macro = self._macro("_alarms.html", "alarms")
        self.drawing.fragments["alarms"] = macro(rows, self.audience.may_acknowledge)

    def _totals(self) -> None:
        """The numbers on top, and how many agents are in each status."""
        totals = self.floor.totals(self.audience.queues)
        if self.audience.holds("totals"):
            self.drawing.fragments["totals"] = self._macro("_totals.html", "totals")(totals)
        if self.audience.holds("agreement"):
            line = self._macro("_reconciled.html", "line")
            self.drawing.fragments["agreement"] = line(totals.reconciled)
        count = self._macro("_totals.html", "count")
        for status in Status:
            self.drawing.fragments[f"count-{status}"] = count(status, totals.agents.get(status, 0))

    def _card(self, card: AgentCard) -> str:
        names = self._names((*card.queues, card.queue))
        return html_of(
            self.drawn,
            dom_id(card.extension, "a"),
            (card, names),
            lambda: self._macro("_card.html", "card")(
                card, self.floor.queue_name, self.audience.acts
            ),
        )

    def _tile(self, tile: QueueTile) -> str:
        return html_of(
            self.drawn,
            dom_id(tile.queue, "q"),
            tile,
            lambda: self._macro("_tile.html", "tile")(tile),
        )

    def _names(self, queues: Iterable[str]) -> list[str]:
        return [self.floor.queue_name(queue) for queue in queues]

    def _list(self, container: str, drawn: dict[str, str]) -> None:
        self.drawing.fragments.update(drawn)
        self.drawing.lists[container] = tuple(drawn)

    def _macro(self, template: str, name: str) -> Callable[..., str]:
        """A macro called from Python takes half the time of rendering a template.

        The wall has templates of its own, with the same macros: `_wall_card.html` for one.
        """
        if self.audience.page == "wall":
            template = f"_wall{template}"
        macro = cast(
            Callable[..., str], getattr(self.environment.get_template(template).module, name)
        )
        return lambda *arguments: macro(*arguments).strip()
