"""What differs by language: the catalogue of texts, and how numbers, dates and times are written.

Catalogues are read from `translations/` when the program starts, so none can be out of date.
"""

import gettext
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import get_decimal_symbol

from app.sentences import Sentence

TRANSLATIONS = Path(__file__).parent.parent / "translations"
DOMAIN = "pitwall"
LANGUAGES = ("en", "vi")
NONE = "–"
# As `re.escape` leaves it.
FIELD = re.compile(r"\\{([a-z]\w*)\\}")
# With the year, and without.
LONGEST_KEPT = 400
DATES = {"en": ("%Y-%m-%d", "%m-%d"), "vi": ("%d/%m/%Y", "%d/%m")}


def catalogue_path(language: str) -> Path:
    return TRANSLATIONS / language / "LC_MESSAGES" / f"{DOMAIN}.po"


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The texts of a language. English has none: it is what the code says."""
    path = catalogue_path(language)
    if language not in LANGUAGES or not path.exists():
        return gettext.NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@cache
def _templates(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """What tells by which template of the catalogue an English sentence was made; the most
    telling first."""
    known = catalogue(language)
    texts = getattr(known, "_catalog", {})
    found = [text for text in texts if isinstance(text, str) and FIELD.search(re.escape(text))]
    found.sort(key=lambda text: len(FIELD.sub("", re.escape(text))), reverse=True)
    return tuple((_pattern(text), text) for text in found)


def _pattern(template: str) -> re.Pattern[str]:
    seen: set[str] = set()

    def field(match: re.Match[str]) -> str:
        first = match[1] not in seen
        seen.add(match[1])
        return f"(?P<{match[1]}>.+)" if first else f"(?P={match[1]})"

    return re.compile(FIELD.sub(field, re.escape(template)), re.DOTALL)


@lru_cache(1024)
def _kept(text: str, language: str) -> str:
    """A sentence that was kept in English, with its values in it."""
    known = catalogue(language)
    words = known.gettext(text)
    if words != text or len(text) > LONGEST_KEPT:
        return words
    for pattern, template in _templates(language):
        if match := pattern.fullmatch(text):
            values = {name: _kept(value, language) for name, value in match.groupdict().items()}
            return known.gettext(template).format(**values)
    return text


@dataclass(frozen=True, slots=True)
class Writing:
    """How one language writes. `zone` is the call centre's, whoever looks."""

    language: str
    zone: tzinfo
    decimal: str
    translations: gettext.NullTranslations

    @classmethod
    def of(cls, language: str, zone: tzinfo = UTC) -> "Writing":
        """An unknown language is written like English."""
        known = language if language in LANGUAGES else LANGUAGES[0]
        return cls(known, zone, get_decimal_symbol(known), catalogue(known))

    def say(self, text: str) -> str:
        """A sentence that code made (see `app.sentences`), now or when it went into the log."""
        if isinstance(text, Sentence):
            return text.said(self.translations.gettext)
        return _kept(str(text), self.language) if text else ""

    def clock(self, at: int, form: str = "%H:%M") -> str:
        """A moment (ms) at the call centre. In the form, {date} is the whole date, {day} has no
        year; the rest is strftime's."""
        return datetime.fromtimestamp(at / 1000, self.zone).strftime(self._form(form))

    def day(self, day: date | str) -> str:
        """A business day, also as text like 2026-11-24."""
        when = date.fromisoformat(day) if isinstance(day, str) else day
        return when.strftime(self._form("{date}"))

    def percent(self, share: float | None) -> str:
        """0.7891 as 78.9; nothing to divide by is a dash, never a zero."""
        return NONE if share is None else self._decimal(f"{share * 100:.1f}")

    def whole_percent(self, share: float | None) -> str:
        """Rounded down: 79.9 must not look as if 80 had been reached."""
        return NONE if share is None else str(int(share * 100 + 1e-9))

    def promised_percent(self, share: float | None) -> str:
        """0.99957 as 99.95, rounded down for the same reason."""
        hundredths = None if share is None else int(share * 10_000 + 1e-9)
        return NONE if hundredths is None else self._decimal(f"{hundredths / 100:.2f}")

    def amount(self, number: float) -> str:
        """5.0 as 5, 79.26 as 79.3."""
        return self._decimal(f"{number:.1f}".removesuffix(".0"))

    def span(self, seconds: float | None) -> str:
        """Seconds as m:ss or h:mm:ss."""
        if seconds is None:
            return NONE
        minutes, rest = divmod(int(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

    def _decimal(self, number: str) -> str:
        return number.replace(".", self.decimal)

    def _form(self, form: str) -> str:
        whole, short = DATES[self.language]
        return form.replace("{date}", whole).replace("{day}", short)
