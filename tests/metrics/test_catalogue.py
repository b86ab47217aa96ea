"""The catalogue's files: all are read, all are used, and a wrong one says how."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from edge_agent.contract.errors import Misconfigured
from metrics import figures
from metrics.entries import FOLDER, Coverage, Formula, Selection, load_catalogue
from metrics.show import rounded
from tests.metrics.world import CATALOGUE
from warehouse.indicators.results import Counted, Evidence

TABLE_1 = {
    1: ("new_enterprise_tech_centers", "10", "家", "expected", "cumulative"),
    2: ("new_srdi_smes", "300", "家", "expected", "cumulative"),
    3: ("digital_transformation_ratio", "80", "%", "expected", "ratio"),
    4: ("recognized_hq_count", "110", "家", "expected", "stock"),
    5: ("tech_upgrade_inv_share", "60", "%", "expected", "ratio"),
    6: ("mfg_va_gdp_share", "基本稳定", "%", "expected", "band"),
    7: ("industrial_output_cagr", "8", "%", "expected", "growth"),
    8: ("sei_output_share", "68", "%", "expected", "ratio"),
    9: ("park_land_output", "80", "亿元/km²", "expected", "level"),
    10: ("export_value", "2500", "亿元", "expected", "level"),
    11: ("energy_intensity_reduction", "完成市下达目标", "%", "binding", "decline"),
    12: ("ifa_cagr", "20", "%", "expected", "growth"),
    13: ("new_contracted_fdi", "15", "亿美元", "expected", "level"),
    14: ("restructured_firms", "350", "家", "binding", "cumulative"),
}
RUNNING_TEXT = {
    "smes_on_platform": ("10000", None),
    "ii_benchmark_platforms": ("10", None),
    "ii_benchmark_park": ("1", None),
    "benchmark_smart_factories": ("25", None),
    "enterprise_tech_centers_stock": ("67", None),
    "municipal_innovation_centers": ("2", "3"),
    "national_standards": ("210", None),
    "industry_standards": ("50", None),
    "rd_intensity_rank": ("达到全市较高水平", None),
    "green_factories_national": ("12", None),
    "green_industry_share_6x": ("40", None),
    "brand_demo_enterprises": ("30", None),
    "shanghai_brand_certs": ("5", None),
    "star_parks": ("30", "50"),
    "clusters_100bn": ("4", None),
    "clusters_10bn": ("3", None),
    "featured_industries": ("2", None),
    "ai_supercomputing_rank": ("3", None),
}
OTHER_DOCUMENTS = {
    "digital_transformation_ratio_mfg": ("songjiang-action-2023", "85", None),
    "diagnosis_coverage_mfg": ("songjiang-action-2023", "100", None),
    "smes_on_cloud_or_platform": ("songjiang-action-2023", "100000", None),
    "action_plan_benchmark_factories": ("songjiang-action-2023", "3", "5"),
    "action_plan_demo_factories": ("songjiang-action-2023", "30", "40"),
    "shanghai_transformation_ratio_mfg": ("shanghai-action-2023", "80", None),
    "shanghai_diagnosis_coverage_mfg": ("shanghai-action-2023", "100", None),
    "shanghai_smes_on_cloud_or_platform": ("shanghai-action-2023", "400000", None),
}
BESIDE = {"smes_on_platform_contract", "smes_on_platform_data"}
OF_OUR_OWN = {"networking_rate", "collection_coverage", "active_days", "panel_energy_intensity", "panel_energy_change"}


def wanted(indicator: str) -> tuple[str, str | None]:
    target = CATALOGUE.entries[indicator].target
    assert target is not None
    assert (target.due.isoformat(), target.version) == ("2025-12-31", 1)
    words = str(target.value) if target.value is not None else target.wording
    return str(words), None if target.value_high is None else str(target.value_high)


def test_table_1_of_the_plan_is_complete() -> None:
    rows = {entry.number: entry for entry in CATALOGUE.entries.values() if entry.number is not None}
    assert {
        number: (entry.indicator, wanted(entry.indicator)[0], entry.unit_zh, entry.nature, entry.kind)
        for number, entry in rows.items()
    } == TABLE_1
    assert {entry.plan for entry in rows.values()} == {"songjiang-2021"}


def test_every_quantified_target_of_the_running_text_is_there() -> None:
    found = {
        name
        for name, entry in CATALOGUE.entries.items()
        if entry.plan == "songjiang-2021" and entry.number is None and name not in BESIDE
    }
    assert found == set(RUNNING_TEXT)
    assert {name: wanted(name) for name in found} == RUNNING_TEXT
    assert {CATALOGUE.entries[name].nature for name in found} == {"expected"}, "the text gives no 属性"


def test_targets_of_other_documents_are_indicators_of_their_own() -> None:
    plans = ("songjiang-action-2023", "shanghai-action-2023")
    found = {name: entry.plan for name, entry in CATALOGUE.entries.items() if entry.plan in plans}
    assert {name: (plan, *wanted(name)) for name, plan in found.items()} == OTHER_DOCUMENTS


def test_the_next_plan_follows_the_table_with_no_target_and_no_old_base() -> None:
    carried = [entry for entry in CATALOGUE.entries.values() if entry.plan == "songjiang-2026"]
    assert {entry.indicator for entry in carried} == {
        f"{name}_2026" for name in [row[0] for row in TABLE_1.values()] + ["smes_on_platform"]
    }
    assert {(entry.target, entry.number, entry.scenarios) for entry in carried} == {(None, None, ())}
    plan = CATALOGUE.plans["songjiang-2026"]
    assert (plan.base_date.isoformat(), plan.end_date.isoformat(), plan.years) == ("2025-12-31", "2030-12-31", 5)
    assert not any(document.seen for document in plan.documents)


def test_what_has_no_target_is_a_series_beside_or_a_figure_of_our_own() -> None:
    without = {
        name
        for name, entry in CATALOGUE.entries.items()
        if entry.target is None and entry.plan in (None, "songjiang-2021")
    }
    assert without == BESIDE | OF_OUR_OWN


@pytest.mark.parametrize("indicator", sorted(CATALOGUE.entries))
def test_every_entry_says_whose_it_is_when_it_is_due_and_by_which_rule(indicator: str) -> None:
    entry = CATALOGUE.entries[indicator]
    assert all((entry.population, entry.definition_zh, entry.numerator, entry.registers, entry.owner, entry.frequency))
    assert entry.due_after_days > 0
    assert entry.inputs, "without what there is no value"
    ratio = entry.formula in (Formula.PERCENT, Formula.QUOTIENT, Formula.SHARE)
    assert entry.denominator is not None or not ratio


def test_every_sql_file_is_used_and_every_one_that_is_named_exists() -> None:
    entries = CATALOGUE.entries.values()
    assert {path.name for path in (FOLDER / "indicators").iterdir()} == {
        file for entry in entries for file in (entry.sql, entry.reported_sql) if file is not None
    }
    named = {needed.sql for entry in entries for needed in entry.inputs}
    assert {path.name for path in (FOLDER / "inputs").iterdir()} == named


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("catalogue/smes_on_platform.toml", 'kind = "cumulative"', 'kind = "growing"', "kind"),
        (
            "catalogue/smes_on_platform.toml",
            'plan = "songjiang-2021"',
            'plan = "x"',
            "no plan x; known: .*songjiang-2021",
        ),
        ("catalogue/smes_on_platform.toml", 'rules = "platform_onboarding"', 'rules = "x"', "no rule set x"),
        ("catalogue/smes_on_platform.toml", "value = 10000\n", "", "a target needs a value or a wording"),
        ("rules/panel_energy.toml", "version = 1", "version = 0", "version"),
    ],
)
def test_a_wrong_file_is_told(tmp_path: Path, file: str, old: str, new: str, told: str) -> None:
    folder = tmp_path / "metrics"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    text = (folder / file).read_text("utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), "utf-8")
    with pytest.raises(Misconfigured, match=told):
        load_catalogue(folder)


def member(counted: Counted, amount: str | None = None, weight: str | None = None, **detail: object) -> Evidence:
    made = [None if number is None else Decimal(number) for number in (amount, weight)]
    return Evidence("m", counted, "r", None, made[0], made[1], detail, "s", "consented")


def test_a_quotient_over_nothing_has_no_value() -> None:
    found = figures.headline(
        [member(Counted.NUMERATOR, "1", "-1"), member(Counted.NUMERATOR, "1", "1")], Formula.QUOTIENT
    )
    assert (found.value, found.numerator, found.denominator) == (None, Decimal(2), Decimal(0))
    assert figures.headline([], Formula.PERCENT).value is None
    assert figures.headline([], Formula.COUNT).value == 0


def test_coverage_is_of_what_was_expected() -> None:
    members = [member(Counted.NUMERATOR, there=3, expected=4), member(Counted.EXCLUDED, there=0, expected=4)]
    rule = Coverage(numerator=Selection(sum="there"), denominator=Selection(sum="expected"))
    assert figures.coverage(members, rule) == Decimal("0.75")
    assert figures.coverage(members, None) is None


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [("0.118285", 4, "0.1183"), ("76.75", 1, "76.8"), ("2.5", 0, "3"), ("10012", 0, "10012"), (None, 2, "–")],
)
def test_rounding_is_half_up_and_nothing_is_never_zero(value: str | None, decimals: int, shown: str) -> None:
    assert rounded(None if value is None else Decimal(value), decimals) == shown
