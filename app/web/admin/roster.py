"""Agents as people write them: one form's fields, or pasted lines `extension;name;team;never`.

A part that is not given stays as it is. Pure: knows no request and no floor.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from app.domain.events import AgentNamed
from app.domain.view import AgentCard
from app.pbx.fields import EXTENSION, is_visible
from app.sentences import Sentence, wording
from app.web.admin.page import AdminProblem

LONGEST = 64
MOST_LINES = 2_000
HEADINGS = frozenset({"ext", "extension", "exten"})
# "never" sets the mark, "may" takes it away; an empty part says nothing.
FLAGS: dict[str, bool | None] = {"": None, "never": True, "never listen": True, "may": False}
PARTS = ("extension", "name", "team", "never")
TWICE = Sentence("Extension {extension} is in line {line} already.")
TOO_MANY_PARTS = Sentence("There are {number} parts, and at most {most} are expected.")


@dataclass(frozen=True, slots=True)
class Described:
    """What was said of one agent; None: nothing was said."""

    extension: str
    name: str | None = None
    team: str | None = None
    never_listen: bool | None = None

    def event(self, card: AgentCard | None) -> AgentNamed:
        """The whole description, with what was not said taken from the card."""
        known_name, known_team = (card.name, card.team) if card else ("", "")
        never = card.never_listen if card else False
        return AgentNamed(
            extension=self.extension,
            name=known_name if self.name is None else self.name,
            team=known_team if self.team is None else self.team,
            never_listen=never if self.never_listen is None else self.never_listen,
        )


class BadLine(NamedTuple):
    """A pasted line that can't be read, by its number, and why."""

    number: int
    line: str
    why: str


def extension_in(text: str) -> str:
    """The extension. Raises AdminProblem."""
    extension = text.strip()
    if EXTENSION.fullmatch(extension) is None:
        raise AdminProblem("An extension has 1 to 32 of A-Z, a-z, 0-9 and . _ - and no others.")
    return extension


def label_in(text: str) -> str:
    """A name that people read, in its one composed form. Raises AdminProblem."""
    label = unicodedata.normalize("NFC", text.strip())
    if len(label) > LONGEST or not is_visible(label):
        why = Sentence("A name has at most {most} visible characters.", most=LONGEST)
        raise AdminProblem(why)
    return label


def read_lines(text: str) -> tuple[list[Described], list[BadLine]]:
    """What the lines say, and those that can't be read. A heading and empty lines are passed over.

    The parts are separated by semicolons, or by tabs as they come from a spreadsheet.
    """
    described: dict[str, tuple[int, Described]] = {}
    bad: list[BadLine] = []
    for number, line in enumerate(text.splitlines(), 1):
        parts = [part.strip() for part in line.split("\t" if "\t" in line else ";")]
        if not any(parts) or (number == 1 and parts[0].lower() in HEADINGS):
            continue
        try:
            one = _read_parts(parts)
            if one.extension in described:
                first = described[one.extension][0]
                raise AdminProblem(TWICE.filled(extension=one.extension, line=first))
            described[one.extension] = number, one
        except AdminProblem as problem:
            bad.append(BadLine(number, line[:120], wording(problem)))
    return [one for _, one in described.values()], bad


def _read_parts(parts: list[str]) -> Described:
    if len(parts) > len(PARTS):
        raise AdminProblem(TOO_MANY_PARTS.filled(number=len(parts), most=len(PARTS)))
    given = dict(zip(PARTS, parts, strict=False))
    flag = given.get("never", "").lower()
    if flag not in FLAGS:
        raise AdminProblem("The fourth part is “never”, “may” or empty.")
    return Described(
        extension_in(given["extension"]),
        label_in(given["name"]) if "name" in given else None,
        label_in(given["team"]) if "team" in given else None,
        FLAGS[flag],
    )


def written(cards: Iterable[AgentCard]) -> str:
    """The agents as lines that `read_lines` understands."""
    return "\n".join(_line(card) for card in cards)


def _line(card: AgentCard) -> str:
    parts = [card.extension, card.name.replace(";", ","), card.team.replace(";", ",")]
    return ";".join([*parts, "never"] if card.never_listen else parts)
