"""Indicators of published figures: ratios, levels, the band, growth, and the decline of energy per value added."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

import pytest
from click.testing import CliRunner

from metrics.cli import cli
from metrics.entries import Catalogue
from metrics.run import run
from tests.metrics.world import CATALOGUE, World, figures
from warehouse.indicators.results import Content, evidence

D = Decimal
ENERGY = "energy_intensity_reduction"
OUTPUT = "industrial_output_cagr"
YEARS = range(2021, 2026)


def observed(
    variable: str,
    period: str,
    value: str,
    *,
    unit: str = "100m_cny",
    scope: str = "industry_above_scale",
    price: str = "current",
    region: str = "310117",
    published: str = "2026-03-20",
    vintage: str = "annual",
) -> str:
    return (
        f"variable={variable} region={region} period={period} value={value} unit={unit} scope={scope} "
        f"price_basis={price} vintage={vintage} published_at={published} legal_basis=published"
    )


def changes(
    variable: str, rates: Iterable[str], price: str = "current", scope: str = "industry_above_scale"
) -> list[str]:
    """One published change for each year from 2021 on."""
    return [
        observed(variable, str(2021 + place), rate, unit="percent", price=price, scope=scope)
        for place, rate in enumerate(rates)
    ]


def shown(value: Decimal | str | None, digits: int = 2) -> str:
    assert value is not None
    return str(D(value).quantize(D(1).scaleb(-digits), ROUND_HALF_UP))


def reasons(world: World, content: Content) -> dict[str, str]:
    return {member: reason for member, (_, reason) in world.members(content).items()}


def test_a_share_is_of_the_same_months_and_in_one_unit(world: World) -> None:
    world.load(
        observations=[
            observed("tech_upgrade_investment", "2025", "1234567.8", unit="10k_cny", scope="industry"),
            observed("industrial_fixed_investment", "2025", "200", scope="industry"),
            observed("tech_upgrade_share", "2025", "61.7", unit="percent", scope="industry"),
            observed("tech_upgrade_investment", "2025-01..06", "50", scope="industry"),
            observed("industrial_fixed_investment", "2025-01..06", "90", scope="industry"),
            observed("tech_upgrade_investment", "2020", "40", scope="industry"),
            observed("industrial_fixed_investment", "2020", "100", scope="industry"),
        ]
    )
    year = world.content("tech_upgrade_inv_share", "2025-12")
    assert (year.value, year.numerator, year.denominator) == (D("61.72839"), D("123.45678"), D(200))
    assert (year.status, year.vintage, year.legal_basis) == ("met", "annual", "published")
    assert figures(year)["as_published"] == "61.7"
    assert year.detail["base"]["value"] == "40", "what the same registers give for 2020"
    assert year.progress is not None
    assert shown(year.progress, 4) == "1.0864"
    half = world.content("tech_upgrade_inv_share", "2025-06")
    assert shown(half.value) == "55.56"
    assert (half.status, half.progress) == ("withheld", None), "part of a year is not set against the year's target"
    assert "not set against a target for the year" in str(half.status_reason)


def test_deleting_one_published_figure_leaves_no_value_and_says_which(world: World) -> None:
    world.load(observations=[observed("tech_upgrade_investment", "2025", "120", scope="industry")])
    content = world.content("tech_upgrade_inv_share", "2025")
    assert (content.value, content.status) == (None, "insufficient_data")
    assert content.status_reason == (
        "missing: published figures (observations.csv): industrial_fixed_investment 2025 (industry); "
        "from the district's bureau of statistics"
    )


def test_figures_on_two_price_bases_are_refused_with_their_rows(world: World) -> None:
    world.load(
        observations=[
            observed("manufacturing_value_added", "2025", "900", scope="manufacturing", price="constant_2020"),
            observed("gdp", "2025", "2000", scope="all"),
        ]
    )
    content = world.content("mfg_va_gdp_share", "2025")
    assert (content.value, content.status) == (None, "insufficient_data")
    assert "refused: figures without a common price basis" in str(content.status_reason)
    assert "manufacturing_value_added 2025 constant_2020 (synthetic)" in str(content.status_reason)
    assert str(content.status_reason_zh).startswith("不予采用：")
    world.load(observations=[observed("gdp", "2025", "1900", scope="all", price="constant_2020")])
    found = world.content("mfg_va_gdp_share", "2025")
    assert shown(found.value) == "47.37"
    assert reasons(world, found)["gdp 2025 all current"] == "other_price_basis"


def test_the_band_has_a_proxy_for_its_base_and_says_so_until_the_registers_know_better(world: World) -> None:
    world.load(
        observations=[
            observed("manufacturing_value_added", "2025", "465", scope="manufacturing"),
            observed("gdp", "2025", "1000", scope="all"),
        ]
    )
    proxy = world.content("mfg_va_gdp_share", "2025")
    assert (proxy.value, proxy.status, proxy.progress) == (D("46.5"), "met", None)
    assert "of industry, not of manufacturing" in proxy.detail["base"]["note_en"]
    world.load(
        observations=[
            observed("manufacturing_value_added", "2020", "440", scope="manufacturing"),
            observed("gdp", "2020", "1000", scope="all"),
        ]
    )
    known = world.content("mfg_va_gdp_share", "2025")
    assert (known.detail["base"]["origin"], known.detail["base"]["value"]) == ("registers", "44")
    assert (known.status, known.detail["gap"]) == ("not_met", "-2.5"), "outside of 44 ± 2"


def test_the_share_of_emerging_industries_warns_of_the_other_scope_of_its_base(world: World) -> None:
    world.load(
        observations=[
            observed("sei_output", "2023", "500"),
            observed("industrial_output", "2023", "1000"),
        ]
    )
    content = world.content("sei_output_share", "2023")
    assert content.value == 50
    assert shown(content.progress, 4) == "0.5385", "(50 − 29) / (68 − 29)"
    assert content.status == "behind", "0.5385 of the way after 0.6 of the time"
    assert content.detail["base"]["note_en"] == "29.0 % of 2020 is not on the scope of the target (manufacturing part)"
    assert "not comparable" in content.detail["note_en"]
    assert shown(content.detail["still_needed_a_year"]) == "9.00"


def test_a_level_repeats_a_published_figure(world: World) -> None:
    world.load(
        observations=[
            observed("exports", "2025", "2460.5", scope="all"),
            observed("contracted_fdi", "2025-01..12", "152345", unit="10k_usd", scope="all"),
        ]
    )
    exports, fdi = world.content("export_value", "2025-12"), world.content("new_contracted_fdi", "2025")
    assert (exports.value, exports.status, exports.label) == (D("2460.5"), "not_met", "published")
    assert (fdi.value, fdi.status, fdi.detail["target"]) == (D("15.2345"), "met", "15")


def test_a_later_publication_counts_from_its_day_on(world: World) -> None:
    world.load(
        observations=[observed("exports", "2025", "2460.5", scope="all", vintage="flash", published="2026-01-20")]
    )
    before = world.content("export_value", "2025")
    world.load(observations=[observed("exports", "2025", "2501", scope="all", published="2026-10-20")])
    after = world.outcome("export_value", "2025")
    assert after.stored is not None
    assert after.draft is not None
    assert (before.value, after.draft.content.value, after.stored.version) == (D("2460.5"), D(2501), 2)
    assert {"value", "status", "vintage", "evidence_digest"} <= set(after.stored.changed)


@pytest.mark.parametrize(
    ("indicator", "variable", "scope", "value", "status"),
    [
        ("ii_benchmark_park", "ii_benchmark_parks", "all", "1", "met"),
        ("ii_benchmark_park", "ii_benchmark_parks", "all", "0", "not_met"),
        ("featured_industries", "featured_industries_raised", "all", "1", "not_met"),
        ("ai_supercomputing_rank", "ranking_ai_supercomputing", "all", "3", "met"),
        ("ai_supercomputing_rank", "ranking_ai_supercomputing", "all", "4", "not_met"),
        ("rd_intensity_rank", "rd_intensity_rank", "industry_above_scale", "5", "met"),
        ("rd_intensity_rank", "rd_intensity_rank", "industry_above_scale", "6", "not_met"),
    ],
)
def test_milestones_and_ranks(world: World, indicator: str, variable: str, scope: str, value: str, status: str) -> None:
    unit = "rank" if "rank" in variable else "count"
    world.load(observations=[observed(variable, "2025", value, unit=unit, scope=scope, price="none")])
    content = world.content(indicator, "2025")
    assert (content.value, content.status, content.progress) == (D(value), status, None)


def test_before_the_end_a_milestone_is_not_behind(world: World) -> None:
    world.load(observations=[observed("ii_benchmark_parks", "2024", "0", unit="count", scope="all", price="none")])
    assert world.content("ii_benchmark_park", "2024").status == "open"


def test_targets_of_other_documents_are_of_their_own_area_and_time(world: World) -> None:
    world.load(
        observations=[
            observed("smes_on_cloud_or_platform", "2024", "60000", unit="count", scope="all", price="none"),
            observed(
                "smes_on_cloud_or_platform", "2024", "250000", unit="count", scope="all", price="none", region="310000"
            ),
        ]
    )
    district = world.content("smes_on_cloud_or_platform", "2024")
    city = world.content("shanghai_smes_on_cloud_or_platform", "2024")
    assert (district.value, shown(district.expected_progress, 4), district.status) == (
        D(60000),
        "0.6667",
        "slightly_behind",
    )
    assert (city.value, city.status) == (D(250000), "slightly_behind")


# Growth


def test_growth_is_chained_and_a_half_year_is_a_provisional_year(world: World) -> None:
    world.load(
        observations=[
            *changes("industrial_output_change", ["8", "8"]),
            observed("industrial_output_change", "2023-01..06", "8", unit="percent"),
        ]
    )
    content = world.content(OUTPUT, "2023-06")
    assert shown(content.value) == "8.00"
    assert (content.denominator, content.detail["provisional"], content.status) == (D(3), True, "at_target_now")
    assert figures(content) == {"years_from_levels": "0"}


def test_the_final_growth_and_what_was_still_needed_before(world: World) -> None:
    world.load(observations=changes("industrial_output_change", ["10", "2", "5", "7", "4"]))
    final = world.content(OUTPUT, "2025")
    assert (shown(final.value), final.status) == ("5.56", "not_met")
    assert shown(final.progress, 3) == "0.696"
    third = world.content(OUTPUT, "2023")
    assert shown(third.value) == "5.62"
    assert (shown(third.detail["still_needed_a_year"]), third.status) == ("11.68", "behind")
    assert figures(third) == {"years_from_levels": "0"}


def test_a_missing_year_is_named_and_levels_may_stand_in(world: World) -> None:
    world.load(
        observations=[
            *changes("industrial_output_change", ["10", "2"]),
            *(observed("industrial_output", year, value) for year, value in (("2022", "4000"), ("2023", "4200"))),
        ]
    )
    content = world.content(OUTPUT, "2024")
    assert content.value is None
    assert "industrial_output_change 2024 (industry_above_scale)" in str(content.status_reason)
    assert "2023" not in str(content.status_reason)
    content = world.content(OUTPUT, "2023")
    assert shown(content.value) == shown(((D("1.10") * D("1.02") * D("1.05")) ** (D(1) / 3) - 1) * 100)
    assert figures(content) == {"years_from_levels": "1"}
    assert [(step["year"], step["method"]) for step in content.detail["chain"]] == [
        (2021, "published"),
        (2022, "published"),
        (2023, "levels"),
    ]
    world.load(observations=changes("industrial_output_change", ["10", "2", "6"]))
    published = world.content(OUTPUT, "2023")
    assert figures(published) == {"years_from_levels": "0"}, "a published growth goes before a ratio of levels"


def test_growth_on_two_price_bases_is_refused(world: World) -> None:
    rates = changes("industrial_output_change", ["10", "2", "5"])
    world.load(
        observations=[
            *rates[:2],
            observed("industrial_output_change", "2023", "5", unit="percent", price="constant_2020"),
        ]
    )
    content = world.content(OUTPUT, "2023")
    assert content.value is None
    assert "refused: growth on price bases that are never chained" in str(content.status_reason)
    assert "industrial_output_change 2023 constant_2020 (synthetic)" in str(content.status_reason)


def test_a_january_alone_is_not_published_for_industry_above_scale(world: World) -> None:
    world.load(observations=changes("industrial_output_change", ["8", "8", "8", "8"]))
    content = world.content(OUTPUT, "2025-01")
    assert content.value is None
    assert "ask for 2025-01..02" in str(content.status_reason)
    world.load(observations=[observed("industrial_output_change", "2025-01..02", "8", unit="percent")])
    assert shown(world.content(OUTPUT, "2025-02").value) == "8.00"


# Energy per value added


def test_three_published_years_decline_by_4_87_without_a_target(world: World) -> None:
    world.load(observations=changes("energy_intensity_change", ["1.51", "-2.20", "-4.18"], "constant_2020"))
    content = world.content(ENERGY, "2023")
    assert shown(content.value) == "4.87"
    assert (content.status, content.progress, content.light) == ("target_missing", None, None)
    assert "完成市下达目标" in str(content.status_reason)
    fourteen, thirteen = content.detail["scenarios"]
    assert "not the district's target" in fourteen["name_en"]
    assert (shown(fourteen["target"]), shown(fourteen["expected"])) == ("14.00", "8.65")
    assert (shown(thirteen["target"]), shown(thirteen["expected"])) == ("13.50", "8.33")
    assert shown(D(fourteen["progress"]) * 100, 1) == "33.1"


def test_from_e_and_v_a_step_is_1_minus_the_quotient(world: World) -> None:
    world.load(
        observations=[
            observed("energy_consumption_change", "2021", "4", unit="percent", price="none"),
            observed("industrial_value_added_change", "2021", "8", unit="percent", price="constant_2020"),
        ]
    )
    content = world.content(ENERGY, "2021")
    assert shown(content.value) == "3.70"
    assert content.evidence_digest is not None
    (row,) = evidence(world.conn, content.evidence_digest)
    assert (row["reason"], row["detail"]["energy_change"], row["detail"]["real_growth"]) == ("components", "4", "8")


def test_both_electricity_bases_stand_beside_each_other_and_never_in_one_chain(world: World) -> None:
    world.load(
        observations=[
            *changes("energy_intensity_change", ["-3", "-3"], "constant_2020"),
            *changes("energy_intensity_equivalent_change", ["-4", "-2"], "constant_2020"),
        ]
    )
    content = world.content(ENERGY, "2022")
    assert (content.value, D(str(figures(content)["equivalent"]))) == (D("5.91"), D("5.92"))
    world.load(observations=changes("energy_intensity_equivalent_change", ["-4", "-2", "-5"], "constant_2020"))
    missing = world.content(ENERGY, "2023")
    assert missing.value is None
    assert "2023 (industry_above_scale, calorific)" in str(missing.status_reason), "等价值 does not stand in"


def test_current_prices_and_proxies_never_enter(world: World) -> None:
    world.load(
        observations=[
            *changes("output_energy_intensity_change", ["-9"], "constant_2020"),
            *changes("gdp_energy_intensity_change", ["-9"], "constant_2020", scope="all"),
            observed("energy_consumption_change", "2021", "4", unit="percent", price="none"),
            observed("industrial_value_added", "2020", "700"),
            observed("industrial_value_added", "2021", "800"),
        ]
    )
    assert world.content(ENERGY, "2021").value is None


def test_deductions_stand_beside_and_never_inside(world: World) -> None:
    world.load(
        observations=[
            *(
                observed("energy_consumption", year, value, unit="tce", price="none")
                for year, value in (("2020", "1000"), ("2021", "1040"))
            ),
            *(
                observed("feedstock_energy", year, value, unit="tce", price="none")
                for year, value in (("2020", "100"), ("2021", "176"))
            ),
            observed("industrial_value_added_change", "2021", "8", unit="percent", price="constant_2020"),
        ]
    )
    content = world.content(ENERGY, "2021")
    assert shown(content.value) == "3.70"
    assert shown(figures(content)["less_feedstock"]) == "11.11", "1 − (864 / 900) / 1.08"
    assert figures(content)["less_non_fossil"] is None


def test_a_changed_enterprise_set_is_shown(world: World) -> None:
    world.load(
        observations=changes("energy_intensity_change", ["-3"], "constant_2020"),
        rosters=[
            "roster=industry_above_scale uscc=91310117MA1J00014T valid_from=2021-03",
            "roster=industry_above_scale uscc=91310117MA1J00022M valid_from=2019-01 valid_to=2021-09",
            "roster=industry_above_scale uscc=91310117MA1J00030G valid_from=2019-01",
        ],
    )
    content = world.content(ENERGY, "2021")
    assert content.evidence_digest is not None
    (row,) = evidence(world.conn, content.evidence_digest)
    assert (row["detail"]["entered_roster"], row["detail"]["left_roster"]) == (1, 1)


def test_what_the_next_plan_wants_is_not_known(world: World) -> None:
    world.load(observations=[observed("exports", "2026-01..06", "1300", scope="all")])
    content = world.content("export_value_2026", "2026-06")
    assert (content.value, content.status, content.progress) == (D(1300), "target_missing", None)
    assert "no target of Songjiang" in str(content.status_reason)


def test_a_result_in_words_says_target_pace_base_scenarios_and_trend(world: World, ready_dsn: str) -> None:
    world.load(
        observations=[
            *changes("energy_intensity_change", ["1.51", "-2.20", "-4.18"], "constant_2020"),
            *changes("industrial_output_change", ["10", "2", "5"]),
            *(observed(name, "2023", value) for name, value in (("sei_output", "500"), ("industrial_output", "1000"))),
        ]
    )

    def told(indicator: str, *more: str) -> str:
        result = CliRunner().invoke(cli, ["show", "--database", ready_dsn, "--indicator", indicator, *more])
        assert result.exit_code == 0, result.output
        return result.stdout

    for period in ("2021", "2022", "2023"):
        world.outcome(ENERGY, period)
    english = told(ENERGY, "--lang", "en")
    assert "target: 完成市下达目标 by 2025-12-31" in english
    assert (
        "scenario: Shanghai's 14 % for industry above scale (not the district's target): 33.1 % of the way" in english
    )
    assert "yearly changes, percent: 2021 +1.51  2022 -2.20  2023 -4.18" in english
    assert "trend: 2021 -1.51  2022 0.72  2023 4.87" in english
    assert "! energy per output and energy per GDP are other indicators" in english
    assert "情景：全市规上工业单位增加值能耗下降14%（非本区目标）" in told(ENERGY)
    world.outcome("sei_output_share", "2023")
    share = told("sei_output_share", "--lang", "en")
    assert "made 53.8 % of the way, 60.0 % expected by now" in share
    assert "still needed 18.0 percent, 9.0 a year" in share
    assert "base: 29.0, of the plan; 29.0 % of 2020 is not on the scope" in share
    world.outcome(OUTPUT, "2023")
    assert "余下每年 11.68" in told(OUTPUT)


def test_a_sum_of_nothing_is_not_said_to_lack_a_denominator(world: World) -> None:
    world.load(observations=[observed("exports", "2025", "4", scope="all")])
    rules = CATALOGUE.rules["published"]
    none = rules.set.model_copy(update={"parameters": rules.set.parameters | {"price_bases": ["constant_2015"]}})
    catalogue = Catalogue(
        CATALOGUE.plans, CATALOGUE.entries, CATALOGUE.rules | {"published": type(rules)(none, rules.text)}
    )
    (outcome,) = run(world.conn, catalogue, indicators=["export_value"], period="2025")
    assert outcome.draft is not None
    content = outcome.draft.content
    assert (content.value, content.status) == (None, "insufficient_data")
    assert content.status_reason == "no member has a figure that can be used"


def test_contracted_investment_may_be_read_as_the_plan_s_sum(world: World) -> None:
    first, *others = (observed("contracted_fdi", str(year), "4", unit="100m_usd", scope="all") for year in YEARS)
    world.load(observations=others)
    rules = CATALOGUE.rules["published"]
    text = rules.text.replace("cumulate = false", "cumulate = true")
    changed = type(rules)(
        rules.set.model_copy(update={"parameters": rules.set.parameters | {"cumulate": True}}),
        text,
    )
    cumulated = Catalogue(CATALOGUE.plans, CATALOGUE.entries, CATALOGUE.rules | {"published": changed})
    (outcome,) = run(world.conn, cumulated, indicators=["new_contracted_fdi"], period="2025")
    assert outcome.draft is not None
    assert outcome.draft.content.value is None
    assert f"contracted_fdi {YEARS[0]} (all)" in str(outcome.draft.content.status_reason)
    world.load(observations=[first])
    for catalogue, value in ((CATALOGUE, 4), (cumulated, 20)):
        (outcome,) = run(world.conn, catalogue, indicators=["new_contracted_fdi"], period="2025")
        assert outcome.draft is not None
        assert outcome.draft.content.value == value
    assert text in {row[0] for row in world.conn.execute("SELECT rule_text FROM indicator.result").fetchall()}
