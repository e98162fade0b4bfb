"""The templates of every language: whole pages, and what a drawing of the floor is made with.

Templates escape everything, always.
"""

from datetime import UTC, tzinfo
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.audience import Audience, folded
from app.compiled import Compiled
from app.domain.limits import AGES, Targets, wait_ages
from app.domain.turn import Changes
from app.drawing import EVERYTHING, Draw, Drawing, FloorView
from app.escaping import EscapingEnvironment
from app.filters import brief, dom_id, filled, hashed_id, iso, steps
from app.language import LANGUAGES, Writing
from app.memo import Memo

__all__ = ["Audience", "Drawing", "Renderer", "hashed_id"]

TEMPLATES = Path(__file__).parent.parent / "templates"
# Most of what is drawn again has the same names, times and ids as before.
KEPT = 4096
BOARD = (
    "base board _floor _actions _card _tile _waiting _abandons _alarms _totals _reconciled".split()
)


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
        self._past: Memo[Audience] = Memo(most=4)
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
        draw = Draw(self._in(audience.language), floor, audience, self._memo.of(audience))
        return draw.draw(changes)

    def past(self, floor: FloorView, audience: Audience) -> Drawing:
        """The whole board of another time; any thread may draw it, one at a time.

        What was drawn last of now is neither used nor replaced.
        """
        drawn = self._past.of(audience)
        return Draw(self._in(audience.language), floor, audience, drawn).draw(EVERYTHING)

    def _in(self, language: str) -> Environment:
        return self._environments.get(language, self._environments["en"])

    def _environment(self, writing: Writing) -> Environment:
        # autoescape=True and not by file name: a partial called *.j2 must be escaped too.
        environment = EscapingEnvironment(
            autoescape=True,
            loader=FileSystemLoader(TEMPLATES),
            extensions=["jinja2.ext.i18n"],
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            bytecode_cache=Compiled(writing.language),
        )
        environment.install_gettext_translations(writing.translations, newstyle=True)  # type: ignore[attr-defined] # i18n's
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
