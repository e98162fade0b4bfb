"""Templates compiled once in a process: of use to every site, and to one language only."""

from zoneinfo import ZoneInfo

import jinja2
import pytest

from app.compiled import Compiled
from app.render import Renderer


def test_a_second_site_compiles_nothing_anew(monkeypatch: pytest.MonkeyPatch):
    Renderer().compile_board()
    compiled: list[object] = []
    monkeypatch.setattr(jinja2.Environment, "compile", lambda self, *a, **k: compiled.append(a))

    Renderer(ZoneInfo("Asia/Ho_Chi_Minh")).compile_board()

    assert compiled == []


def test_what_one_language_compiled_is_not_another_ones():
    def environment(language: str) -> jinja2.Environment:
        made = jinja2.Environment(
            loader=jinja2.DictLoader({"constant": "{{ 'word' | said }}"}),
            bytecode_cache=Compiled(language),
            autoescape=True,
        )
        made.filters["said"] = lambda text: f"{text} in {language}"
        return made

    said = [environment(name).get_template("constant").render() for name in ("xx", "yy", "xx")]

    assert said == ["word in xx", "word in yy", "word in xx"]


def test_a_template_that_changed_is_compiled_anew():
    texts = {"changing": "before"}
    environments = [
        jinja2.Environment(
            loader=jinja2.DictLoader(texts), bytecode_cache=Compiled("zz"), autoescape=True
        )
        for _ in range(2)
    ]
    first = environments[0].get_template("changing").render()
    texts["changing"] = "after"

    assert (first, environments[1].get_template("changing").render()) == ("before", "after")
