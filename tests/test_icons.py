"""The font of pictures: made of those in `static/icons`, and named as style sheets name it."""

import re
from pathlib import Path

import pytest
from fontTools.pens.recordingPen import RecordingPen
from fontTools.ttLib import TTFont
from playwright.sync_api import Page

from tests.icon_font import FONT, STATIC, UNITS, made, names
from tests.running import Pitwall

EM, EDGE = UNITS, UNITS // 16
# In a hundred pixels; a name that is none is as wide as its letters, which is nothing.
WIDTHS = """words => document.fonts.load('100px "Pitwall icons"', "pause").then(() => {
    const paper = document.createElement("canvas").getContext("2d");
    paper.font = '100px "Pitwall icons"';
    return words.map(word => paper.measureText(word).width);
})"""

STYLES = [path.read_text() for path in STATIC.glob("*.css")]
SHOWN = {name for style in STYLES for name in re.findall(r'--picture: "([^"]*)"', style)}


@pytest.fixture(scope="module")
def font() -> TTFont:
    return TTFont(FONT)


def outline(font: TTFont, name: str) -> object:
    pen = RecordingPen()
    font.getGlyphSet()[f"icon.{name}"].draw(pen)
    return pen.value


def test_the_font_shows_what_is_drawn_in_the_pictures(font: TTFont) -> None:
    """Where it fails: `make icons`, and commit the font with the picture."""
    drawn = made()

    for name in names():
        assert outline(font, name) == outline(drawn, name), name
    assert font.getGlyphOrder() == drawn.getGlyphOrder()


def test_styles_name_every_picture_and_no_other() -> None:
    assert set(names()) == SHOWN


def test_a_picture_fills_its_em_and_no_more(font: TTFont) -> None:
    for name in names():
        glyph = font["glyf"][f"icon.{name}"]
        assert font["hmtx"][f"icon.{name}"] == (EM, glyph.xMin)
        assert glyph.xMax - glyph.xMin > EM / 3, name
        assert all(-EDGE <= side <= EM + EDGE for side in (glyph.xMin, glyph.xMax)), name
        assert all(-EDGE <= side <= EM + EDGE for side in (glyph.yMin, glyph.yMax)), name


@pytest.mark.browser
def test_a_browser_reads_names_as_pictures(free_port: int, tmp_path: Path, page: Page) -> None:
    pitwall = Pitwall(free_port, tmp_path)
    pitwall.start()
    page.goto(f"{pitwall.url}/login")

    assert page.evaluate(WIDTHS, ["pause", "late", "later", "on", "outbound"]) == [100] * 5
    shown = page.locator("#theme .icon").bounding_box()
    assert shown is not None
    assert shown["width"] == shown["height"]
    pitwall.stop()
