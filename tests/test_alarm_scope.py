"""Which queues an alarm is about: by that it is shown, and sent, to those who may see them."""

import pytest

from app.domain.alarm_view import is_about, queues_of
from app.domain.events import AgentNamed
from app.domain.metrics import METRICS
from tests.story import Story, after


@pytest.fixture
def story() -> Story:
    return after(
        "101 on, 102 on, 1 rings 101 in 900, 2 rings 102 in 901, 3 rings 102 in 902",
        AgentNamed(extension="101", team="Blue"),
        AgentNamed(extension="102", team="Red"),
    )


def metric_of(kind: str) -> str:
    return next(name for name, metric in METRICS.items() if metric.subjects == kind)


@pytest.mark.parametrize(
    ("kind", "subject", "queues"),
    [
        ("queues", "900", {"900"}),
        ("agents", "102", {"901", "902"}),
        ("agents", "gone", set()),
        ("teams", "Blue", {"900"}),
        ("teams", "Red", {"901", "902"}),
        ("teams", "Nobody", set()),
    ],
)
def test_an_alarm_is_about_the_queues_that_its_subject_serves(
    story: Story, kind: str, subject: str, queues: set[str]
):
    assert queues_of(story.state, metric_of(kind), subject) == frozenset(queues)


def test_an_alarm_of_the_floor_or_of_a_metric_gone_is_everybodys(story: Story):
    assert queues_of(story.state, "no such metric", "900") is None


@pytest.mark.parametrize(
    ("kind", "subject", "scope", "about"),
    [
        ("agents", "102", "", True),
        ("agents", "102", "102", True),
        ("agents", "102", "Red", True),
        ("agents", "102", "Blue", False),
        ("agents", "102", "902", True),
        ("agents", "102", "900", False),
        ("teams", "Blue", "900", True),
        ("teams", "Blue", "901", False),
    ],
)
def test_a_scope_takes_in_its_own_alarms_only(
    story: Story, kind: str, subject: str, scope: str, about: bool
):
    assert is_about(story.state, metric_of(kind), subject, scope) is about
