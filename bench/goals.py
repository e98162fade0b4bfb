"""What is promised, as numbers: one row per goal, met or not, for the report."""

from dataclasses import dataclass, field
from math import isfinite
from typing import Literal


@dataclass(frozen=True)
class Goal:
    """A figure and its bound: `most` or `least` says on which side it must stay."""

    what: str
    measured: float
    bound: float
    side: Literal["most", "least"] = "most"
    unit: str = ""

    @property
    def is_met(self) -> bool:
        """The figure is on the right side, the bound included."""
        if self.side == "most":
            return self.measured <= self.bound
        return self.measured >= self.bound

    def row(self) -> str:
        """A row of a table."""
        sign = "≤" if self.side == "most" else "≥"
        return (
            f"| {self.what} | {number(self.measured)}{self.unit} | "
            f"{sign} {number(self.bound)}{self.unit} | {'yes' if self.is_met else '**no**'} |"
        )


@dataclass
class Section:
    """One part of the report: its goals, and lines with what else was measured."""

    title: str
    goals: list[Goal] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Markdown."""
        parts = [f"### {self.title}", ""]
        if self.goals:
            parts += ["| goal | measured | bound | met |", "| --- | ---: | ---: | --- |"]
            parts += [goal.row() for goal in self.goals]
            parts.append("")
        return "\n".join([*parts, *self.lines, ""])


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Markdown lines; all but the first column are numbers."""
    lines = [" | ".join(head), " | ".join(["---"] + ["---:"] * (len(head) - 1))]
    lines += [" | ".join(row) for row in rows]
    return [f"| {line} |" for line in lines] + [""]


def number(value: float) -> str:
    """As people read it; what never came is endless."""
    if not isfinite(value):
        return "endless"
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value):,}"
    return f"{value:,.2f}" if abs(value) < 10 else f"{value:,.1f}"
