"""Sentences that code says to people: English wherever they are kept, translated where shown.

A Sentence is a str, so the log, the audit, the API and a terminal have it in English. A page shows
it by the filter `said`, which finds the sentence in the catalogue and fills its values in again.
"""

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

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


def packed(sentence: str) -> str:
    """The sentence as text that can be kept and becomes the same sentence again by `unpacked`."""
    return json.dumps(_plain(sentence), ensure_ascii=False, separators=(",", ":"))


def unpacked(text: str) -> Sentence:
    """The sentence that was packed; any other text is a sentence as it is."""
    with suppress(ValueError, TypeError, LookupError, AttributeError):
        return joined("", [_sentence(json.loads(text))])
    return joined("", [text])


def wording(error: Exception) -> str:
    """What an exception says, as a Sentence if it was made with one; `str(error)` is English."""
    return error.args[0] if error.args and isinstance(error.args[0], str) else str(error)


def _said(value: object, translate: Translate) -> object:
    return value.said(translate) if isinstance(value, Sentence) else value


def _plain(value: object) -> object:
    if isinstance(value, Sentence):
        return [value._template, {name: _plain(each) for name, each in value._values.items()}]
    return value if isinstance(value, int | float) else str(value)


def _sentence(value: Any) -> str:
    if isinstance(value, list):
        template, values = value
        return Sentence(template, **{name: _value(each) for name, each in values.items()})
    return str(value)


def _value(value: Any) -> object:
    return value if isinstance(value, int | float) else _sentence(value)
