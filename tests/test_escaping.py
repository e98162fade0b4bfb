"""Templates escape as Jinja does, whatever stands in a gap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import DictLoader, Environment, StrictUndefined, UndefinedError
from markupsafe import Markup, escape

from app.domain.states import Status
from app.escaping import EscapingEnvironment, escaped

BASE = "<main>{% block body %}{{ value }}{% endblock %}</main>"
TEMPLATE = """
{%- extends "base" %}
{% macro told(value) %}<b title="{{ value }}">{{ value }}{{ caller() }}</b>{% endmacro %}
{% block body %}
<p data-it='{{ value }}'>{{ value ~ "<" }}{{ value | escape }}{{ "<&>" }}{{ super() }}
{% call told(value) %}<i>{{ value }}</i>{% endcall %}
{% set kept %}<u>{{ value }}</u>{% endset %}{{ kept }}{{ kept | upper }}
{% filter trim %} {{ value }} {% endfilter %}
{% trans value=value %}It is {{ value }}.{% endtrans %}{{ _("<%(it)s>", it=value) }}
{% include "base" %}
{% for letter in value | string %}{{ letter }}{% endfor %}</p>
{% endblock %}
"""


def environment_of(kind: type[Environment]) -> Environment:
    loader = DictLoader({"base": BASE, "page": TEMPLATE})
    made = kind(
        autoescape=True,
        undefined=StrictUndefined,
        loader=loader,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_null_translations(newstyle=True)  # type: ignore[attr-defined] # i18n's
    return made


class Told(str):
    """Text that has HTML of its own."""

    def __html__(self) -> str:
        return f"<q>{escape(str(self))}</q>"


class Safe(Markup):
    """Markup of another kind."""


class Number(int):
    """A number that does not look like one."""

    def __str__(self) -> str:
        return "<7>"


OURS, JINJAS = environment_of(EscapingEnvironment), environment_of(Environment)
HOSTILE = st.text(st.sampled_from("<>&\"'aé\n+ đ"))
VALUES = st.one_of(
    st.text(),
    HOSTILE,
    HOSTILE.map(Markup),
    HOSTILE.map(Told),
    HOSTILE.map(Safe),
    st.integers().map(Number),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.sampled_from(Status),
    st.lists(HOSTILE),
)


@given(VALUES)
def test_a_page_is_what_jinja_would_have_made_of_it(value: object) -> None:
    ours, jinjas = OURS.get_template("page"), JINJAS.get_template("page")
    assert ours.render(value=value) == jinjas.render(value=value)


@given(VALUES)
def test_a_value_alone_is_what_markupsafe_makes_of_it(value: object) -> None:
    assert escaped(value) == escape(value)


def test_jinja_asks_us_how_to_escape() -> None:
    assert "environment.escaped(" in OURS.compile("{{ value }}", raw=True)


def test_a_script_in_a_name_stays_text() -> None:
    page = OURS.from_string("<h3>{{ name }}</h3>").render(name="<script>alert('x')</script>")
    assert page == "<h3>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;</h3>"


def test_what_is_markup_in_a_macro_is_not_escaped_a_second_time() -> None:
    page = OURS.from_string("{% macro m(v) %}<b>{{ v }}</b>{% endmacro %}<p>{{ m('<') }}</p>")
    assert page.render() == "<p><b>&lt;</b></p>"


def test_a_name_that_is_not_there_is_an_error_and_no_empty_text() -> None:
    with pytest.raises(UndefinedError):
        OURS.from_string("{{ nobody }}").render()


def test_where_a_template_turns_escaping_off_and_on_jinja_decides() -> None:
    text = "{% autoescape flag %}{{ value }}{% endautoescape %}{{ value }}"
    for flag in (True, False):
        ours, jinjas = (
            environment(autoescape=True).from_string(text)
            for environment in (EscapingEnvironment, Environment)
        )
        given_ = {"value": "<", "flag": flag}
        assert ours.render(given_) == jinjas.render(given_)
