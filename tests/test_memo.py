"""Nothing is drawn twice from the same value, and nothing old is shown for a new one."""

from app.memo import Memo, html_of


class Pen:
    def __init__(self) -> None:
        self.strokes = 0

    def __call__(self) -> str:
        self.strokes += 1
        return f"<p>{self.strokes}</p>"


def test_an_equal_value_is_not_drawn_again() -> None:
    pen, drawn = Pen(), Memo[str]().of("all")

    first = html_of(drawn, "a-1", ("on", ["q"]), pen)
    again = html_of(drawn, "a-1", ("on", ["q"]), pen)

    assert first == again
    assert pen.strokes == 1


def test_another_value_another_name_and_another_audience_are() -> None:
    pen, memo = Pen(), Memo[str]()
    html_of(memo.of("all"), "a-1", "on", pen)

    for audience, name, value in (
        ("all", "a-1", "off"),
        ("all", "a-2", "on"),
        ("one", "a-1", "on"),
    ):
        html_of(memo.of(audience), name, value, pen)

    assert pen.strokes == 4


def test_only_the_newest_audiences_are_kept() -> None:
    pen, memo = Pen(), Memo[int](most=2)
    for audience in (1, 2, 1, 3):
        html_of(memo.of(audience), "a-1", "on", pen)
    assert pen.strokes == 3

    html_of(memo.of(1), "a-1", "on", pen)
    html_of(memo.of(2), "a-1", "on", pen)

    assert pen.strokes == 4
