"""The floor as HTML: one string per fragment and audience, and whole pages.

Templates escape everything, always. Nothing here decides who may see what: `audience` did.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Protocol, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.audience import Audience, folded
from app.compiled import Compiled
from app.domain.alarm_view import AlarmRow
from app.domain.limits import AGES, Targets, wait_ages
from app.domain.states import Status
from app.domain.turn import Changes
from app.domain.view import AbandonRow, AgentCard, QueueTile, Totals, WaitingRow
from app.filters import brief, dom_id, filled, hashed_id, iso, steps
from app.language import LANGUAGES, Writing
from app.memo import Drawn, Memo, html_of

__all__ = ["Audience", "Drawing", "FloorView", "Renderer", "hashed_id"]

TEMPLATES = Path(__file__).parent.parent / "templates"
WAITING_SHOWN = 50
# Most of what is drawn again has the same names, times and ids as before.
KEPT = 4096
BOARD = (
    "base board _floor _actions _card _tile _waiting _abandons _alarms _totals _reconciled".split()
)
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


class Renderer:
    """Every language's templates. `zone` is the call centre's; `build` names its files.

    `unencrypted`: every page says that it can be read on the way.
    """

    def __init__(
        self,
        zone: tzinfo = UTC,
        build: str = "dev",
        targets: Targets | None = None,
        *,
        unencrypted: bool = False,
    ) -> None:
        self._unencrypted = unencrypted
        self._targets = targets or Targets()
        self._memo: Memo[Audience] = Memo()
        self.zone = zone
        self.build = build
        self._writings = {language: Writing.of(language, zone) for language in LANGUAGES}
        self._environments = {
            language: self._environment(writing) for language, writing in self._writings.items()
        }

    def compile_board(self) -> None:
        """Compile what a board is drawn with, which takes longer than to draw a thousand cards."""
        for environment in self._environments.values():
            for name in BOARD:
                environment.get_template(f"{name}.html")

    @staticmethod
    def iso(at: int) -> str:
        """A moment (ms) in UTC, RFC 3339."""
        return iso(at)

    def say(self, text: str, language: str = "en") -> str:
        """A sentence that code made (see `app.sentences`), for an answer that is no page."""
        return self._writings.get(language, self._writings["en"]).say(text)

    def page(self, template: str, language: str = "en", **context: object) -> str:
        """A whole page; an unknown language falls back to English."""
        given = {"principal": None, "language": language, "build": self.build, **context}
        return self._in(language).get_template(template).render(given)

    def everything(self, floor: FloorView, audience: Audience) -> Drawing:
        """The whole board."""
        return self.fragments(EVERYTHING, floor, audience)

    def fragments(self, changes: Changes, floor: FloorView, audience: Audience) -> Drawing:
        """What may look different after the changes; the screen sees which HTML really does."""
        drawn, holds = self._memo.of(audience), audience.holds
        draw = _Draw(self._in(audience.language), floor, audience, drawn)
        whole = changes.roster
        if whole:
            draw.cards()
        else:
            draw.some_cards(changes.agents)
        if whole and holds("tiles"):
            draw.tiles()
        elif changes.queues and holds("tiles"):
            draw.some_tiles(changes.queues)
        if (changes.waiting or whole) and holds("waiting"):
            draw.waiting()
        if (changes.abandons or whole) and holds("abandons"):
            draw.abandons()
        if (changes.alarms or whole) and holds("alarms"):
            draw.alarms()
        if changes.totals or changes.abandons or changes.agents or whole:
            draw.totals()
        return draw.drawing

    def _in(self, language: str) -> Environment:
        return self._environments.get(language, self._environments["en"])

    def _environment(self, writing: Writing) -> Environment:
        # autoescape=True and not by file name: a partial called *.j2 must be escaped too.
        environment = Environment(
            autoescape=True,
            loader=FileSystemLoader(TEMPLATES),
            extensions=["jinja2.ext.i18n"],
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            bytecode_cache=Compiled(writing.language),
        )
        environment.install_gettext_translations(writing.translations, newstyle=True)  # type: ignore[attr-defined]
        environment.globals.update(
            asset=self._asset,
            ages={state: steps(limits) for state, limits in AGES.items()},
            wait_steps=lambda service_level_s: steps(wait_ages(service_level_s)),
            targets=self._targets,
            unencrypted=self._unencrypted,
        )
        environment.filters.update(
            said=writing.say,
            clock=lru_cache(KEPT)(writing.clock),
            day=writing.day,
            iso=iso,
            percent=writing.percent,
            span=writing.span,
            amount=writing.amount,
            whole_percent=writing.whole_percent,
            promised_percent=writing.promised_percent,
            find=lru_cache(KEPT)(folded),
            brief=lru_cache(KEPT)(brief),
            filled=filled,
            dom_id=dom_id,
            hashed_id=hashed_id,
        )
        return environment

    def _asset(self, name: str) -> str:
        return f"/static/{self.build}/{name}"


@dataclass(slots=True)
class _Draw:
    """One drawing being made."""

    environment: Environment
    floor: FloorView
    audience: Audience
    drawn: Drawn
    drawing: Drawing = field(default_factory=Drawing)

    def cards(self) -> None:
        """All cards, in order."""
        shown = self.audience.cards(self.floor.agent_cards())
        drawn = {dom_id(card.extension, "a"): self._card(card) for card in shown}
        self._list("agents", drawn)

    def some_cards(self, extensions: set[str]) -> None:
        """The cards of these agents, as far as they are in scope."""
        # In order: neighbours are alike, and a frame so compresses to two thirds.
        for extension in sorted(extensions):
            card = self.floor.agent_card(extension)
            if card and self.audience.sees_agent(card):
                html = self._card(self.audience.card(card))
                self.drawing.fragments[dom_id(extension, "a")] = html

    def tiles(self) -> None:
        """All queues in scope, as the floor has them."""
        shown = [tile for tile in self.floor.queue_tiles() if self.audience.sees(tile.queue)]
        self._list("tiles", {dom_id(tile.queue, "q"): self._tile(tile) for tile in shown})

    def some_tiles(self, queues: set[str]) -> None:
        """The tiles of these queues, as far as they are in scope."""
        for tile in self.floor.some_tiles(queues):
            if self.audience.sees(tile.queue):
                self.drawing.fragments[dom_id(tile.queue, "q")] = self._tile(tile)

    def waiting(self) -> None:
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

    def abandons(self) -> None:
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

    def alarms(self) -> None:
        """What is wrong now, the worst first."""
        rows = self.audience.alarms(self.floor.alarm_rows())
        macro = self._macro("_alarms.html", "alarms")
        self.drawing.fragments["alarms"] = macro(rows, self.audience.may_acknowledge)

    def totals(self) -> None:
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
