"""What of a template people would read that no translation reaches: text outside of `_()`."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import Environment, nodes

SPOKEN = {"title", "aria-label", "aria-description", "placeholder", "alt", "label", "data-tip"}
LETTERS = re.compile(r"[^\W\d_]{2,}")
# What is the same in every language: our name, the vendor's terms, signs, and the languages' names.
SAME = {
    "Pitwall", "API", "CSV", "JSON", "XLSX", "Excel", "PBX", "URL", "SL", "ASA", "AHT", "English",
    "Tiếng Việt", "Authorization: Bearer", "min", "ms", "px", "http", "https",
}  # fmt: skip
BLOCK = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
QUIET = {"script", "style", "code", "svg:style"}


def hard_coded(path: Path) -> list[str]:
    """The texts, in the order of the file."""
    source = path.read_text()
    reader = _Reader()
    reader.feed(BLOCK.sub("\x1f", source))
    reader.close()
    found = [*reader.found, *constants(source)]
    return [text for text in found if _is_visible(text)]


def _is_visible(text: str) -> bool:
    if '="' in text or text.startswith("#"):
        return False  # a part of a tag, or a selector
    text = re.sub(r"PITWALL_[A-Z_]+", "", text)
    for word in sorted(SAME, key=len, reverse=True):
        text = re.sub(rf"\b{re.escape(word)}\b", "", text)
    return LETTERS.search(text) is not None


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._quiet: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in QUIET:
            self._quiet.append(tag)
        self.found += [
            value.strip("\x1f ")
            for name, value in attrs
            if value
            and (name in SPOKEN or (name.startswith("data-") and " " in value.strip()))
            and name not in {"data-icon", "data-zone"}
        ]

    def handle_endtag(self, tag: str) -> None:
        if self._quiet and self._quiet[-1] == tag:
            self._quiet.pop()

    def handle_data(self, data: str) -> None:
        if not self._quiet:
            self.found += [text.strip() for text in data.split("\x1f") if text.strip()]


def constants(source: str) -> Iterator[str]:
    """Strings that an expression writes out by itself: `{{ "yes" if it else "no" }}`."""
    tree = Environment(autoescape=True, extensions=["jinja2.ext.i18n"]).parse(source)
    for output in tree.find_all(nodes.Output):
        for node in output.nodes:
            yield from _written(node)


def _written(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        # One word in lower case is a value of an attribute: a class, a state, an icon.
        if " " in node.value.strip() or node.value[:1].isupper():
            yield node.value
    elif isinstance(node, nodes.CondExpr):
        yield from _written(node.expr1)
        if node.expr2 is not None:
            yield from _written(node.expr2)
    elif isinstance(node, nodes.Or | nodes.Add):
        yield from _written(node.left)
        yield from _written(node.right)
    elif isinstance(node, nodes.Concat):
        for each in node.nodes:
            yield from _written(each)
