"""Progress and status: the vectors of the domain rules, and what must never be said."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.progress import (
    band,
    cumulative,
    decline,
    growth,
    in_percent,
    intensity_change,
    milestone,
    of_range,
    rank,
    ratio,
    stock,
)
from metrics.standing import Status, Thresholds, light, standing, standing_in_band

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


def test_a_range_is_met_at_its_lower_end_and_stretched_at_its_upper() -> None:
    found = of_range(D(30), D(30), Fraction(1), 5, high=D(50), base=D(8))
    assert (found.reached, found.stretch, found.progress, found.expected) == (True, False, D(1), D("12.4"))
    assert of_range(D(2), D(3), Fraction(1), 5, high=D(3)).stretch
    assert of_range(D(2), D(1), Fraction(1), 5).stretch is None
    withheld = of_range(D(30), D(12), Fraction(1), 5, high=D(50), base=None)
    assert (withheld.progress, withheld.still_needed) == (None, D(18))


@pytest.mark.parametrize(
    ("actual", "before", "after"),
    [
        ("48.5", Status.AT_TARGET_NOW, Status.MET),
        ("49.4", Status.AT_TARGET_NOW, Status.MET),
        ("47.5", Status.SLIGHTLY_BEHIND, Status.MET),
        ("46.5", Status.SLIGHTLY_BEHIND, Status.MET),
        ("46.4", Status.BEHIND, Status.NOT_MET),
        ("50.6", Status.BEHIND, Status.NOT_MET),
    ],
)
def test_a_band_is_in_near_the_edge_or_out(actual: str, before: Status, after: Status) -> None:
    found = band(D("48.5"), D(actual), D(2), D(1))
    assert standing_in_band(found, ended=False) is before
    assert standing_in_band(found, ended=True) is after
    assert (found.progress, light(found, RULE)) == (None, None)
    assert found.reached is (after is Status.MET)


@pytest.mark.parametrize(
    ("found", "before", "after"),
    [
        (milestone(D(1), D(1)), Status.ACHIEVED, Status.MET),
        (milestone(D(1), D(0)), Status.OPEN, Status.NOT_MET),
        (rank(D(3), D(3)), Status.ACHIEVED, Status.MET),
        (rank(D(3), D(4)), Status.OPEN, Status.NOT_MET),
    ],
)
def test_milestones_and_ranks_are_yes_or_no(found: object, before: Status, after: Status) -> None:
    assert isinstance(found, type(milestone(D(1), D(1))))
    assert standing(found, RULE, ended=False, never_falls=True) is before
    assert standing(found, RULE, ended=True, never_falls=True) is after
    assert (found.progress, found.expected) == (None, None)


def test_a_rank_that_can_be_lost_again_is_only_at_target_now() -> None:
    assert standing(rank(D(3), D(2)), RULE, ended=False, never_falls=False) is Status.AT_TARGET_NOW


def test_energy_up_4_and_value_added_up_8_is_a_decline_of_3_70() -> None:
    assert percent(-intensity_change(D("0.04"), D("0.08"))) == "3.70"


def test_what_is_still_needed_a_year() -> None:
    assert cumulative(D(10_000), D(6_000), Fraction(4), 5).still_needed_a_year == 4_000
    assert cumulative(D(10_000), D(6_000), Fraction(9, 2), 5).still_needed_a_year == 8_000
    assert cumulative(D(10_000), D(6_000), Fraction(5), 5).still_needed_a_year is None
    assert stock(None, D(110), D(80), Fraction(2), 5).still_needed_a_year == 10, "needs no base"
    needed = growth(D("0.08"), [D("0.05"), D("0.07")], 5).still_needed_a_year
    assert needed is not None
    chained = D("1.05") * D("1.07") * (1 + needed) ** 3
    assert abs(chained - D("1.08") ** 5) < D("1e-25"), "the plan's mean comes to the target"
    assert growth(D("0.08"), [D("0.05")] * 5, 5).still_needed_a_year is None


def test_a_stock_that_is_to_fall_is_reached_from_above() -> None:
    found = stock(D(100), D(60), D(58), Fraction(3), 5)
    assert (found.reached, found.progress, found.expected) == (True, D("1.05"), D(76))
    assert not stock(D(100), D(60), D(61), Fraction(3), 5).reached


def test_percent_changes_the_unit_and_no_share() -> None:
    found = decline(D("0.17"), [D("-0.03658")] * 3, 5)
    shown = in_percent(found)
    assert (shown.target, shown.progress, shown.ratio) == (D(17), found.progress, found.ratio)
    assert percent(found.actual) == str(shown.actual.quantize(D("0.01"), ROUND_HALF_UP))
    assert in_percent(milestone(D(1), D(1))).expected is None


@given(st.integers(1, 60), st.integers(1, 400), st.integers(0, 400))
def test_on_the_path_progress_is_what_is_expected(months: int, target: int, base: int) -> None:
    elapsed = Fraction(months, 12)
    path = stock(D(base), D(base + target), D(base), elapsed, 5).expected
    assert path is not None
    found = stock(D(base), D(base + target), path, elapsed, 5)
    assert found.progress is not None
    assert found.expected_progress is not None
    assert abs(found.progress - found.expected_progress) < D("1e-28")


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
