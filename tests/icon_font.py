"""Makes `static/icons.woff` of the pictures in `static/icons`: `make icons`.

A picture in a font is drawn as text is, in the colour of the text. As a mask of its own, each one
cost a browser more than the words beside it, and a board has six hundred. What stands for a picture
is its name, so a style sheet can be read: `--picture: "pause"`.
"""

import os
from pathlib import Path
from typing import Any

from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.svgLib.path import parse_path
from picosvg.svg import SVG
from picosvg.svg_pathops import union
from picosvg.svg_types import SVGPath

STATIC = Path(__file__).parent.parent / "static"
PICTURES = STATIC / "icons"
FONT = STATIC / "icons.woff"
FAMILY = "Pitwall icons"
# It has colours of its own, and is the page's picture in a browser's tab.
NO_ICON = "pitwall"
UNITS, SIDE = 1024, 16
TOLERANCE = 1.0
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def names() -> list[str]:
    """The pictures that the font has."""
    found = sorted(path.stem for path in PICTURES.glob("*.svg"))
    return [name for name in found if name != NO_ICON]


def drawn(name: str) -> Any:
    """The glyph of a picture: its strokes and shapes as outlines, the box of it an em."""
    pen = TTGlyphPen(None)
    scale = UNITS / SIDE
    down = TransformPen(Cu2QuPen(pen, TOLERANCE), (scale, 0, 0, -scale, 0, UNITS))
    shapes = list(SVG.parse(str(PICTURES / f"{name}.svg")).topicosvg().shapes())
    # A stroke and what it surrounds may turn opposite ways, and would leave a gap where they meet.
    joined = union([shape.as_cmd_seq() for shape in shapes], [shape.fill_rule for shape in shapes])
    parse_path(SVGPath.from_commands(joined).d, down)
    return pen.glyph()


def made() -> Any:
    """The font. Letters show nothing and take no room; a name of them becomes its picture."""
    nothing = TTGlyphPen(None).glyph()
    glyphs = {".notdef": nothing} | dict.fromkeys(LETTERS, nothing)
    glyphs |= {f"icon.{name}": drawn(name) for name in names()}
    font = FontBuilder(UNITS, isTTF=True)
    font.setupGlyphOrder(list(glyphs))
    font.setupCharacterMap({ord(letter): letter for letter in LETTERS})
    font.setupGlyf(glyphs)
    font.setupHorizontalMetrics({name: _measures(name, glyph) for name, glyph in glyphs.items()})
    # All above the baseline: the picture stands on the line, as a box without text does.
    font.setupHorizontalHeader(ascent=UNITS, descent=0)
    font.setupNameTable({"familyName": FAMILY, "styleName": "Regular"})
    font.setupOS2(sTypoAscender=UNITS, sTypoDescender=0, usWinAscent=UNITS, usWinDescent=0)
    font.setupPost()
    addOpenTypeFeaturesFromString(font.font, features())
    return font.font


def _measures(name: str, glyph: Any) -> tuple[int, int]:
    """(width, where the outline begins)."""
    return (UNITS, glyph.xMin) if name.startswith("icon.") else (0, 0)


def features() -> str:
    """Names become pictures; of two that begin alike the longer one goes first."""
    longest_first = sorted(names(), key=len, reverse=True)
    rules = (f"sub {' '.join(name)} by icon.{name};" for name in longest_first)
    return "feature liga {" + " ".join(rules) + "} liga;"


if __name__ == "__main__":
    os.environ["SOURCE_DATE_EPOCH"] = "0"
    font = made()
    font.flavor = "woff"
    font.save(FONT)
