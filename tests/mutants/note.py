"""The page `docs/mutants.md`: what its lists do not say, and what is written by hand and stays."""

from pathlib import Path

HEAD = (
    "# Breaks that no test sees",
    "",
    "`make mutants` breaks a copy of the code in small ways, one at a time (a comparison turned, a",
    "condition negated, a number off by one, a call left out), and runs the tests of that part.",
    "What they miss is listed. `make mutants SAMPLE=1000` tries more of each part than 40.",
    "",
)
KEPT = "## Missed by decision"


def kept_of(page: Path) -> str:
    """What somebody wrote by hand below the lists: from the heading for it to the end."""
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    heading = text.find(f"\n{KEPT}\n")
    return text[heading:] if heading >= 0 else ""
