"""Writes what was measured into docs/performance.md, between two marks; the rest is kept."""

from bench.goals import Section
from bench.processes import ROOT

PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- measured -->", "<!-- end of what was measured -->"


def text_of(sections: list[Section], when: str, words: str, *, quick: bool) -> str:
    """The report as Markdown."""
    goals = [goal for section in sections for goal in section.goals]
    met = sum(goal.is_met for goal in goals)
    how = "quickly (`--quick`), so only roughly" if quick else "with `make bench`"
    head = [
        f"Measured {how} on {when}, on a machine with {words}.",
        "",
        f"{met} of {len(goals)} goals are met.",
        "",
    ]
    return "\n".join([*head, *(section.text() for section in sections)])


def write(sections: list[Section], when: str, words: str, *, quick: bool) -> None:
    """Put the report in place of the one before."""
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else f"{BEGIN}\n{END}\n"
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    text = text_of(sections, when, words, quick=quick)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")
