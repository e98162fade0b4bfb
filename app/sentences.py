"""Sentences that code says to people: English wherever they are kept, translated where shown.

A Sentence is a str, so the log, the audit, the API and a terminal have it in English. A page shows
it by the filter `said`, which finds the sentence in the catalogue and fills its values in again.
"""

from collections.abc import Callable, Iterable

Translate = Callable[[str], str]


class Sentence(str):
    """`template` with `{names}` for the values. A value that is a Sentence is translated as well.

    The template must stand in the code as it is: from there it gets into the catalogue.
    """

    __slots__ = ("_template", "_values")

    _template: str
    _values: dict[str, object]

    def __new__(cls, template: str, /, **values: object) -> "Sentence":
        sentence = super().__new__(cls, template.format(**values) if values else template)
        sentence._template, sentence._values = template, values
        return sentence

    def __hash__(self) -> int:
        return super().__hash__()

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other)

    def filled(self, **values: object) -> "Sentence":
        """The sentence with its values, where the template alone was kept."""
        return Sentence(self._template, **values)

    def said(self, translate: Translate) -> str:
        """The sentence in the language of `translate`."""
        words = translate(self._template)
        if not self._values:
            return words
        return words.format(**{name: _said(each, translate) for name, each in self._values.items()})


def joined(separator: str, parts: Iterable[str]) -> Sentence:
    """The parts one after another, each translated for itself."""
    values = {f"part{number}": part for number, part in enumerate(parts)}
    return Sentence(separator.join(f"{{{name}}}" for name in values), **values)


def wording(error: Exception) -> str:
    """What an exception says, as a Sentence if it was made with one; `str(error)` is English."""
    return error.args[0] if error.args and isinstance(error.args[0], str) else str(error)


def _said(value: object, translate: Translate) -> object:
    return value.said(translate) if isinstance(value, Sentence) else value
