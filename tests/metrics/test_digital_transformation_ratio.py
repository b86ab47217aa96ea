"""The transformation ratio: ten enterprises of the roster, three qualify; each result weighs as the rule says."""

from __future__ import annotations

from decimal import Decimal

import pytest

from metrics.entries import Catalogue
from metrics.rulesets import Rules
from metrics.run import run
from tests.metrics.world import CATALOGUE, World, code, figures

ID = "digital_transformation_ratio"
CERTIFIED, SELF, LARGE_GOOD = code(1), code(2), code(3)
LOW, LARGE_LOW, LARGE_WRONG, BETTER_EVIDENCE_IS_WORSE, WITHDRAWN, NOT, LATER = (code(number) for number in range(4, 11))
FORMER = code(11)
"""Left the roster before the period ended."""

QUALIFIED = ("numerator", "qualified")
EXPECTED = {
    CERTIFIED: QUALIFIED,
    SELF: QUALIFIED,
    LARGE_GOOD: QUALIFIED,
    LOW: ("denominator", "level_too_low"),
    LARGE_LOW: ("denominator", "level_too_low"),
    LARGE_WRONG: ("denominator", "wrong_instrument"),
    BETTER_EVIDENCE_IS_WORSE: ("denominator", "level_too_low"),
    WITHDRAWN: ("denominator", "not_assessed"),
    NOT: ("denominator", "not_assessed"),
    LATER: ("denominator", "not_assessed"),
    FORMER: ("excluded", "not_on_roster"),
}


def result(
    uscc: str, level: int, on: str = "2024-05-20", by: str = "certified_diagnosis", of: str = "miit", more: str = ""
) -> str:
    edition = "2020" if of == "gbt39116" else "2022"
    return f"uscc={uscc} instrument={of} edition={edition} evidence={by} assessed_on={on} level={level} {more}"


def listed(uscc: str, valid_from: str = "2019-01", valid_to: str = "", roster: str = "industry_above_scale") -> str:
    return f"roster={roster} uscc={uscc} valid_from={valid_from} valid_to={valid_to}"


@pytest.fixture
def district(world: World) -> World:
    large = (LARGE_GOOD, LARGE_LOW, LARGE_WRONG)
    world.load(
        rosters=[
            *(listed(uscc) for uscc in EXPECTED if uscc != FORMER),
            listed(FORMER, valid_to="2025-12"),
            *(
                listed(uscc, f"{year}-01", f"{year + 1}-01", "large_enterprises")
                for uscc in large
                for year in (2024, 2025)
            ),
        ],
        questionnaire_results=[
            result(CERTIFIED, 2, on="2023-12-30"),
            result(CERTIFIED, 1, on="2025-05-01", by="self_assessment"),
            result(SELF, 3, by="self_assessment"),
            result(LARGE_GOOD, 2, of="gbt39116"),
            result(LARGE_GOOD, 1),
            result(LOW, 1),
            result(LARGE_LOW, 1, of="gbt39116"),
            result(LARGE_WRONG, 4),
            result(BETTER_EVIDENCE_IS_WORSE, 1),
            result(BETTER_EVIDENCE_IS_WORSE, 4, on="2025-05-01", by="onsite"),
            result(WITHDRAWN, 3, more="withdrawn_on=2025-12-31"),
            result(LATER, 3, on="2026-01-01"),
            result(FORMER, 3),
        ],
    )
    return world


def test_each_enterprise_stands_where_it_was_planted(district: World) -> None:
    content = district.content(ID, "2025-12")
    assert district.members(content) == EXPECTED
    assert (content.value, content.numerator, content.denominator) == (Decimal(30), Decimal(3), Decimal(10))
    assert content.coverage == Decimal("0.7"), "7 of 10 were assessed"
    assert figures(content) == {
        "share_diagnosed": "70",
        "ratio_among_diagnosed": "42.85714285714285714285714285714286",
        "stale": "1",
    }
    assert content.detail["groups"]["evidence"] == {"certified_diagnosis": 2, "self_assessment": 1}
    assert content.detail["groups"]["edition"] == {"2020": 1, "2022": 2}
    assert (content.status, content.progress, content.detail["gap"]) == ("not_met", None, "50")


def test_before_the_end_progress_is_withheld_for_want_of_a_base(district: World) -> None:
    content = district.content(ID, "2024-12")
    assert content.value is not None
    assert (content.status, content.progress, content.light) == ("baseline_missing", None, None)


@pytest.mark.parametrize(
    ("change", "changed", "value"),
    [
        ({"questionnaire_results": [result(NOT, 2)]}, {NOT: QUALIFIED}, "40"),
        ({"questionnaire_results": [result(NOT, 1)]}, {NOT: ("denominator", "level_too_low")}, "30"),
        (
            {"questionnaire_results": [result(CERTIFIED, 1, on="2025-06-01")]},
            {CERTIFIED: ("denominator", "level_too_low")},
            "20",
        ),
        (
            {"questionnaire_results": [result(LARGE_WRONG, 2, of="gbt39116", by="onsite")]},
            {LARGE_WRONG: QUALIFIED},
            "40",
        ),
        (
            {"rosters": [listed(SELF, "2025-01", "2026-01", "large_enterprises")]},
            {SELF: ("denominator", "wrong_instrument")},
            "20",
        ),
        ({"rosters": [listed(FORMER)]}, {FORMER: QUALIFIED}, "36.36363636363636363636363636363636"),
        ({"rosters": [listed(NOT, valid_to="2025-12")]}, {NOT: None}, "33.33333333333333333333333333333333"),
    ],
)
def test_one_changed_input_changes_one_enterprise(
    district: World, change: dict[str, list[str]], changed: dict[str, tuple[str, str] | None], value: str
) -> None:
    district.load(**change)
    content = district.content(ID, "2025-12")
    expected = {uscc: stands for uscc, stands in (EXPECTED | changed).items() if stands is not None}
    assert district.members(content) == expected
    assert str(content.value) == value


@pytest.mark.parametrize(
    ("table", "where", "told"),
    [
        ("registry.roster", "roster = 'industry_above_scale'", "roster of industry above scale"),
        ("registry.roster", "roster = 'large_enterprises' AND valid_from = '2025-01-01'", "large_enterprises) of 2025"),
        ("registry.questionnaire_result", "true", "results of assessments"),
    ],
)
def test_a_missing_input_gives_no_value_and_says_what(district: World, table: str, where: str, told: str) -> None:
    district.delete(table, where)
    content = district.content(ID, "2025-12")
    assert (content.value, content.denominator, content.status) == (None, None, "insufficient_data")
    assert told in str(content.status_reason)
    assert str(content.status_reason_zh).startswith("缺少：")


def test_a_roster_that_ends_before_the_period_is_told_with_its_row(world: World) -> None:
    world.load(
        rosters=[listed(NOT, valid_to="2025-06"), listed(LOW, valid_to="2025-03")],
        questionnaire_results=[result(NOT, 2)],
    )
    content = world.content(ID, "2025-12")
    assert content.value is None
    assert f"2025-12 (the roster that is known, synthetic, covers 2019-01 until before 2025-06: {NOT})" in str(
        content.status_reason
    )


@pytest.mark.parametrize(
    ("parameters", "changed", "value"),
    [
        ({"expiry_months": 24}, {CERTIFIED: ("denominator", "level_too_low")}, "20"),
        ({"expiry_months": 12}, dict.fromkeys((SELF, LARGE_GOOD, LOW), ("denominator", "expired")), "10"),
        (
            {"denominator": "diagnosed_only"},
            dict.fromkeys((WITHDRAWN, NOT, LATER), ("excluded", "not_assessed")),
            "42.85714285714285714285714285714286",
        ),
    ],
)
def test_expiry_and_denominator_are_configuration(
    district: World, parameters: dict[str, str | int], changed: dict[str, tuple[str, str]], value: str
) -> None:
    rules = CATALOGUE.rules["digital_transformation"]
    other = rules.set.model_copy(update={"parameters": rules.set.parameters | parameters})
    catalogue = Catalogue(
        CATALOGUE.plans, CATALOGUE.entries, CATALOGUE.rules | {"digital_transformation": Rules(other, rules.text)}
    )
    (outcome,) = run(district.conn, catalogue, indicators=[ID], period="2025-12")
    assert outcome.draft is not None
    members = district.members(outcome.draft.content)
    assert {uscc: members[uscc] for uscc in changed} == changed
    assert str(outcome.draft.content.value) == value
