"""Lines of the alarm log as a message for people elsewhere: a title and a text."""

from collections.abc import Callable, Sequence

from app.domain.alarm_view import subject_name
from app.domain.floor import Floor
from app.domain.metrics import METRICS
from app.domain.rules import AlarmEntry, Level
from app.render import Renderer

MOST_LINES = 20


def composer(
    renderer: Renderer, floor: Floor, language: str
) -> Callable[[Sequence[AlarmEntry]], tuple[str, str]]:
    """What words the lines; the worst first where there are too many."""

    def compose(entries: Sequence[AlarmEntry]) -> tuple[str, str]:
        worst = sorted(entries, key=lambda entry: -entry.level)[:MOST_LINES]
        shown = sorted(worst, key=lambda entry: entry.number)
        units = {name: metric.unit for name, metric in METRICS.items()}
        named = {
            entry.number: subject_name(floor.state, entry.metric, entry.subject) for entry in shown
        }
        body = renderer.page(
            "alarm_message.txt",
            language,
            entries=shown,
            named=named,
            units=units,
            more=len(entries) - len(shown),
        )
        return _title(entries), body.strip()

    return compose


def _title(entries: Sequence[AlarmEntry]) -> str:
    """Short, for a telephone: the worst level that is there, "cleared" where all of it is over."""
    if all(entry.what == "cleared" for entry in entries):
        return "Pitwall ✓"
    worst = max(entry.level for entry in entries if entry.what != "cleared")
    return "Pitwall ‼" if worst is Level.CRITICAL else "Pitwall !"
