"""The colours of states: told apart by every eye and in grey, readable on every ground."""

import re
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from tests.colours import EYES, contrast, difference, mixed, seen_by

CSS = (Path(__file__).parent.parent / "static" / "tokens.css").read_text()
STATUSES = ("on", "ring", "talk", "pause", "off")
STATES = (*STATUSES, "other", "doubt")
# Two colours of large areas; 1 is barely seen side by side, 5 is another colour to anybody.
APART = 7.0
# Steps of lightness (0 to 100) between the five statuses on a display without colours.
APART_IN_GREY = 3.9
READABLE = 4.5
SIGN = 3.0


def themes() -> dict[str, dict[str, str]]:
    """{theme: {token: value}}; light is what the dark one says and then what light changes."""
    blocks = re.findall(r":root([^{]*)\{([^}]*)\}", CSS)
    read = [(where, dict(re.findall(r"--([\w-]+):\s*([^;]+);", body))) for where, body in blocks]
    dark = next(values for where, values in read if not where.strip())
    [by_choice] = [values for where, values in read if '"light"' in where]
    [by_system] = [values for where, values in read if "not(" in where]
    assert by_choice == by_system
    said = {"dark": dark, "light": dark | by_choice}
    return {
        theme: {name: _whole(value) for name, value in tokens.items()}
        for theme, tokens in said.items()
    }


def _whole(value: str) -> str:
    """`#fff` as `#ffffff`; what is no short colour stays."""
    short = re.fullmatch(r"#([0-9a-f])([0-9a-f])([0-9a-f])", value)
    return "#" + "".join(2 * digit for digit in short.groups()) if short else value


THEMES = themes()


def share(text: str) -> float:
    return float(text.strip().rstrip("%")) / 100


@pytest.mark.parametrize("kind", ["", "fill-"])
@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("theme", THEMES)
def test_no_two_states_look_alike(theme: str, eyes: str, kind: str) -> None:
    seen = {state: seen_by(eyes, THEMES[theme][kind + state]) for state in STATES}
    near = {
        (one, other): round(difference(seen[one], seen[other]), 1)
        for one, other in combinations(STATES, 2)
        if difference(seen[one], seen[other]) < APART
    }

    assert near == {}


@pytest.mark.parametrize("kind", ["", "fill-"])
@pytest.mark.parametrize("theme", THEMES)
def test_the_five_statuses_are_five_greys(theme: str, kind: str) -> None:
    greys = sorted(seen_by("usual", THEMES[theme][kind + status])[0] for status in STATUSES)

    assert min(b - a for a, b in pairwise(greys)) >= APART_IN_GREY


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("theme", THEMES)
def test_a_state_is_readable_on_its_own_tint_at_every_age(theme: str, state: str) -> None:
    tokens = THEMES[theme]
    grounds = [tokens["panel"], tokens["raised"]]
    # A card of somebody who is off has no tint, and lies on the page itself.
    if state == "off":
        grounds.append(tokens["ground"])
    else:
        oldest = share(tokens["tint"]) * float(tokens["age-3"])
        grounds.append(mixed(tokens[state], oldest, tokens["panel"]))

    assert min(contrast(tokens[state], ground) for ground in grounds) >= READABLE


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("theme", THEMES)
def test_on_a_wall_names_stay_readable_however_old_the_state_is(theme: str, state: str) -> None:
    tokens = THEMES[theme]
    css = (Path(__file__).parent.parent / "static" / "wall.css").read_text()
    tint = share(re.findall(r"--tint:\s*([\d.]+%)", css)[0])
    oldest = mixed(tokens[f"fill-{state}"], tint * float(tokens["age-3"]), tokens["panel"])

    assert contrast(tokens["ink"], oldest) >= READABLE
    assert contrast(tokens["on-fill"], tokens[f"fill-{state}"]) >= SIGN


@pytest.mark.parametrize("theme", THEMES)
def test_plain_text_is_readable_on_every_ground(theme: str) -> None:
    tokens = THEMES[theme]
    bad = {
        (text, ground): round(contrast(tokens[text], tokens[ground]), 2)
        for text in ("ink", "soft", "faint", "link")
        for ground in ("ground", "panel", "raised")
        if contrast(tokens[text], tokens[ground]) < READABLE
    }

    assert bad == {}
    assert contrast(tokens["alarm-ink"], tokens["alarm-ground"]) >= READABLE


def test_the_measure_agrees_with_its_published_examples() -> None:
    # Sharma, Wu and Dalal (2005), pairs 1, 7 and 25.
    for one, other, known in (
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ):
        assert difference(one, other) == pytest.approx(known, abs=0.0001)
