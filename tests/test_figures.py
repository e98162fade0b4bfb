"""The figures: by their published example, at their boundaries, and of nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.books import MINUTE, add_booking, wait_key
from app.domain.events import QueueNamed
from app.domain.expiry import merge
from app.domain.figures import (
    VARIANTS,
    figures_of,
    occupancy,
    queue_figures,
    ratio,
    total_figures,
    window_figures,
    within,
)
from app.domain.model import Booking, Queue, Tally
from app.domain.states import Outcome
from app.domain.view import Figures
from tests.story import after

# ICMI, "Service Level Calculations" (2005): 1,000 answered, 860 of them within T; 60 abandoned, 20
# of them within T, 10 of them short. In tenths of a second; T = 20 s, short = 5 s.
ICMI = Tally(answered={100: 860, 600: 140}, abandoned={30: 10, 150: 10, 300: 40})


@pytest.mark.parametrize(
    ("variant", "percent"),
    [("answered", 86.0), ("offered", 81.1), ("abandon_positive", 83.0), ("short_ignored", 81.9)],
)
def test_service_level_of_the_published_example(variant: str, percent: float) -> None:
    level = figures_of(ICMI, 20, 5, variant).service_level

    assert level is not None
    assert round(level * 100, 1) == percent


def test_the_published_example_has_all_variants() -> None:
    assert set(VARIANTS) == {"answered", "offered", "abandon_positive", "short_ignored"}


def test_abandon_rates_of_the_published_example() -> None:
    figures = figures_of(ICMI, 20, 5, "offered")

    assert figures.abandon_rate == pytest.approx(60 / 1060)
    assert figures.abandon_rate_strict == pytest.approx(50 / 1050)
    assert (figures.offered, figures.abandoned_short, figures.answered_in_t) == (1060, 10, 860)


@pytest.mark.parametrize(("wait", "count"), [(199, 1), (200, 1), (201, 0)])
def test_within_includes_the_limit(wait: int, count: int) -> None:
    assert within({wait: 1}, 20) == count


@pytest.mark.parametrize(("part", "whole", "result"), [(1, 4, 0.25), (0, 4, 0), (1, 0, None)])
def test_a_ratio_to_nothing_is_nothing(part: float, whole: float, result: float | None) -> None:
    assert ratio(part, whole) == result


def test_nothing_offered_is_no_figure() -> None:
    for variant in VARIANTS:
        figures = figures_of(Tally(), 20, 5, variant)
        assert (figures.service_level, figures.abandon_rate, figures.asa_s) == (None, None, None)
        assert (figures.aht_s, figures.max_wait_s, figures.offered) == (None, None, 0)


def test_only_short_abandons_leave_no_service_level() -> None:
    figures = figures_of(Tally(abandoned={20: 3}), 20, 5, "short_ignored")

    assert (figures.service_level, figures.abandon_rate_strict) == (None, None)
    assert figures.abandon_rate == 1.0


def test_otherwise_ended_is_offered_and_in_no_service_level() -> None:
    figures = figures_of(Tally(answered={10: 1}, otherwise=1), 20, 5, "offered")

    assert (figures.offered, figures.otherwise, figures.service_level) == (2, 1, 1.0)


def test_averages_are_over_what_was_answered_and_what_was_talked() -> None:
    tally = Tally(answered={100: 1, 200: 2}, wait_ms=50_000, talk_ms=90_000, talked=2)
    figures = figures_of(tally, 20, 5, "offered")

    assert figures.asa_s == pytest.approx(50 / 3)
    assert figures.aht_s == 45.0


def test_the_longest_wait_is_of_either_kind() -> None:
    assert figures_of(Tally({100: 1}, {355: 1}), 20, 5, "offered").max_wait_s == 35.5
    assert figures_of(Tally({360: 1}, {355: 1}), 20, 5, "offered").max_wait_s == 36.0


def test_totals_add_counts_and_never_average_percentages() -> None:
    small = Queue("1", today=Tally(answered={10: 1}))
    large = Queue("2", today=Tally(answered={10: 1, 900: 8}))
    figures = total_figures([small, large])

    assert figures.service_level == pytest.approx(2 / 10)
    assert figures.offered == 10


def test_totals_judge_each_queue_by_its_own_limits() -> None:
    slow = Queue("1", service_level_s=60, short_abandon_s=30, today=Tally({500: 1}, {200: 1}))
    quick = Queue("2", service_level_s=10, short_abandon_s=5, today=Tally({500: 1}, {200: 1}))
    figures = total_figures([slow, quick])

    assert (figures.answered_in_t, figures.abandoned_short) == (1, 1)
    assert figures.service_level_s is None


def test_totals_name_the_limit_and_variant_that_all_queues_share() -> None:
    queues = [Queue(name, service_level_s=30, variant="offered") for name in "ab"]
    figures = total_figures(queues)

    assert (figures.service_level_s, figures.service_level_variant) == (30, "offered")


def test_totals_of_queues_with_different_variants_use_the_default() -> None:
    queues = [Queue("a", variant="offered"), Queue("b", variant="answered")]

    assert total_figures(queues).service_level_variant == "short_ignored"


def test_totals_of_no_queue_are_nothing() -> None:
    assert total_figures([]).offered == 0
    assert total_figures([]).service_level is None


def test_a_queue_has_its_own_limit_and_variant() -> None:
    settings = QueueNamed(
        queue="999", name="Sales", service_level_s=5, short_abandon_s=2, variant="answered"
    )
    story = after(settings, "1 rings 101 in 999, +6s, 1 answered 101 in 999")
    figures = queue_figures(story.state.queues["999"])

    assert (figures.answered_in_t, figures.service_level, figures.service_level_s) == (0, 0.0, 5)
    assert figures.service_level_variant == "answered"
    assert story.floor.queue_name("999") == "Sales"
    assert story.floor.queue_name("888") == "888"


@pytest.mark.parametrize(("minutes", "offered"), [(15, 15), (30, 30), (60, 60), (1, 1)])
def test_a_window_holds_what_arrived_in_its_minutes(minutes: int, offered: int) -> None:
    queue = Queue("1", minutes={minute: Tally(answered={10: 1}) for minute in range(200)})

    assert window_figures([queue], minutes, 150 * MINUTE + 30_000).offered == offered + 49


def test_a_visit_belongs_to_the_minute_in_which_it_arrived() -> None:
    story = after("1 rings 101 in 999, +14m, 1 rings 101 in 999, +50s, 1 answered 101 in 999")
    queue = story.state.queues["999"]

    assert window_figures([queue], 15, story.now).answered == 1
    assert window_figures([queue], 14, story.now).answered == 0


@pytest.mark.parametrize(
    ("talk", "ready", "share"), [(30, 70, 0.3), (0, 10, 0.0), (10, 0, 1.0), (0, 0, None)]
)
def test_occupancy(talk: int, ready: int, share: float | None) -> None:
    assert occupancy(talk, ready) == share


BOOKINGS = st.builds(
    Booking,
    queue=st.just("1"),
    minute=st.just(0),
    outcome=st.sampled_from([Outcome.ANSWERED, Outcome.ABANDONED, Outcome.OTHERWISE]),
    wait_ms=st.integers(0, 100_000),
    talk_ms=st.none() | st.integers(0, 100_000),
)


def tally_of(bookings: list[Booking]) -> Tally:
    tally = Tally()
    for booking in bookings:
        add_booking(tally, booking, 1)
    return tally


@given(st.lists(BOOKINGS), st.lists(BOOKINGS))
def test_merged_tallies_are_the_tally_of_all(some: list[Booking], others: list[Booking]) -> None:
    merged = tally_of(some)
    merge(merged, tally_of(others))

    assert merged == tally_of(some + others)


@given(st.lists(BOOKINGS), st.randoms())
def test_what_is_taken_away_again_leaves_nothing(bookings: list[Booking], chance: object) -> None:
    tally = tally_of(bookings)
    shuffled = list(bookings)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    for booking in shuffled:
        add_booking(tally, booking, -1)

    assert tally == Tally()


@given(st.lists(st.lists(BOOKINGS), max_size=4), st.sampled_from(sorted(VARIANTS)))
def test_totals_are_the_figures_of_all_visits(groups: list[list[Booking]], variant: str) -> None:
    queues = [Queue(str(n), variant=variant, today=tally_of(g)) for n, g in enumerate(groups)]
    everything = tally_of([booking for group in groups for booking in group])
    expected = figures_of(everything, 20, 5, variant if groups else "short_ignored")

    totals = total_figures(queues)

    assert [getattr(totals, name) for name in Figures.__slots__] == pytest.approx(
        [getattr(expected, name) for name in Figures.__slots__]
    )


@pytest.mark.parametrize(
    ("wait_ms", "tenths"),
    [
        (0, 0),
        (19_950, 199),
        (20_000, 200),
        (600_000, 6_000),
        (600_100, 6_010),
        (601_000, 6_010),
        (10_800_000, 108_000),
        (10_800_100, 108_600),
        (604_800_000, 6_048_000),
    ],
)
def test_long_waits_are_counted_in_coarser_steps_never_as_shorter(
    wait_ms: int, tenths: int
) -> None:
    assert wait_key(wait_ms) == tenths
    assert wait_key(wait_ms) * 100 >= wait_ms - 99


def test_a_flood_of_different_waits_makes_few_keys() -> None:
    keys = {wait_key(wait) for wait in range(0, 604_800_000, 1_000)}

    assert len(keys) < 21_000


@pytest.mark.parametrize("limit_s", [10, 20, 599, 600, 601, 3_600])
def test_coarser_steps_are_on_the_same_side_of_every_target_time(limit_s: int) -> None:
    for wait_ms in range(limit_s * 1000 - 1500, limit_s * 1000 + 1500, 100):
        assert (wait_key(wait_ms) <= limit_s * 10) is (wait_ms <= limit_s * 1000)
