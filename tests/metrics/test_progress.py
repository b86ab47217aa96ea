"""Progress and status: the vectors of the domain rules, and what must never be said."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.progress import cumulative, decline, growth, of_range, ratio, stock, within_band
from metrics.standing import Status, Thresholds, light, standing

D = Decimal
RULE = Thresholds()


def percent(value: Decimal | None, digits: int = 2) -> str:
    assert value is not None
    return str((value * 100).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


def test_decline_over_three_years() -> None:
    found = decline(D("0.17"), [D("0.0151"), D("-0.0220"), D("-0.0418")], 5)
    assert percent(found.actual) == "4.87"
    assert percent(found.progress, 1) == "26.8"
    assert percent(found.still_needed) == "12.75"
    assert percent(found.still_needed_a_year) == "6.59"
    assert found.progress != found.actual / found.target, "a decline's progress is logarithmic"


def test_decline_of_13_86_percent_is_80_1_percent_of_the_way_to_17() -> None:
    assert percent(decline(D("0.17"), [D("-0.1386")], 5).progress, 1) == "80.1"


def test_three_years_on_the_path_are_exactly_on_track() -> None:
    found = decline(D("0.17"), [D("-0.03658")] * 3, 5)
    assert percent(found.progress, 1) == "60.0"
    assert found.ratio is not None
    assert found.ratio.quantize(D("0.001")) == D("1.000")


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("0.14", ["2.97", "5.85", "8.65", "11.37", "14.00"]),
        ("0.135", ["2.86", "5.64", "8.33", "10.95", "13.50"]),
    ],
)
def test_the_path_of_a_decline(target: str, path: list[str]) -> None:
    expected = [decline(D(target), [D("-0.01")] * years, 5).expected for years in range(1, 6)]
    assert [percent(value) for value in expected] == path


def test_a_decline_without_years_left_needs_nothing_a_year() -> None:
    assert decline(D("0.17"), [D("-0.01")] * 5, 5).still_needed_a_year is None


def test_growth_with_a_half_year_is_neither_9_68_nor_6_35() -> None:
    found = growth(D("0.08"), [D("0.08")] * 3)
    assert percent(found.actual) == "8.00"
    assert found.ratio is not None
    assert found.ratio.quantize(D("0.0001")) == 1


@given(st.lists(st.integers(-200, 200), min_size=1, max_size=5), st.integers(10, 300))
def test_a_decline_made_in_steps_is_that_made_at_once(permille: list[int], target: int) -> None:
    changes = [D(change) / 1000 for change in permille]
    stepwise = decline(D(target) / 1000, changes, 5)
    at_once = decline(D(target) / 1000, [-stepwise.actual], 5)
    assert stepwise.progress is not None
    assert at_once.progress is not None
    assert abs(stepwise.progress - at_once.progress) < D("1e-25")


def test_cumulative_counts_go_by_time() -> None:
    found = cumulative(D(10_000), D(6_000), Fraction(4), 5)
    assert (found.expected, found.progress, found.expected_progress) == (D(8_000), D("0.6"), D("0.8"))
    assert found.ratio == D("0.75")
    assert cumulative(D(10), D(1), Fraction(7), 5).expected == 10, "never beyond the plan"


def test_a_stock_starts_from_its_base() -> None:
    found = stock(D(50), D(110), D(80), Fraction(5, 2), 5)
    assert (found.expected, found.progress, found.expected_progress) == (D(80), D("0.5"), D("0.5"))


def test_a_ratio_without_a_base_has_no_progress() -> None:
    found = ratio(None, D(80), D(79), 4, 5)
    assert (found.expected, found.progress, found.ratio) == (None, None, None)
    assert standing(found, RULE, ended=False, never_falls=False) is Status.BASELINE_MISSING
    assert ratio(D(40), D(80), D(70), 3, 5).expected == 64


def test_ranges_and_bands() -> None:
    assert of_range(D(30), D(30), Fraction(1), 5).reached
    assert within_band(D("48.5"), D("46.5"), D(2))
    assert not within_band(D("48.5"), D("46.4"), D(2))


@pytest.mark.parametrize(
    ("actual", "ended", "never_falls", "status", "lamp"),
    [
        (10_000, True, True, Status.MET, 3),
        (9_999, True, True, Status.NOT_MET, 2),
        (10_000, False, True, Status.ACHIEVED, 3),
        (10_000, False, False, Status.AT_TARGET_NOW, 3),
        (8_000, False, True, Status.ON_TRACK, 3),
        (7_999, False, True, Status.SLIGHTLY_BEHIND, 2),
        (7_200, False, True, Status.SLIGHTLY_BEHIND, 2),
        (7_199, False, True, Status.BEHIND, 1),
    ],
)
def test_status_and_light(actual: int, ended: bool, never_falls: bool, status: Status, lamp: int) -> None:
    elapsed = Fraction(5 if ended else 4)
    found = cumulative(D(10_000), D(actual), elapsed, 5)
    assert standing(found, RULE, ended=ended, never_falls=never_falls) is status
    assert light(found, RULE) == lamp


def test_on_the_first_day_nothing_is_expected_and_nobody_is_behind() -> None:
    found = cumulative(D(10), D(0), Fraction(0), 5)
    assert standing(found, RULE, ended=False, never_falls=True) is Status.ON_TRACK
    assert light(found, RULE) is None
