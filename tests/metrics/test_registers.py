"""Indicators counted from registers: recognitions, projects, standards, parks, clusters; one row is one enterprise."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.metrics.world import World, code, figures

D = Decimal
QUALIFIED = ("numerator", "qualified")


def enterprise(number: int, region: str = "310117107000", more: str = "") -> str:
    place = f"registered_region={region}" if region else ""
    return f"uscc={code(number)} name=E{number} size=small sector=C3911 valid_from=2019-01-01 {place} {more}"


def recognised(
    number: int, on: str, kind: str = "srdi", level: str = "municipal", until: str = "", item: str = ""
) -> str:
    return f"uscc={code(number)} kind={kind} level={level} item={item} document=notice valid_from={on} valid_to={until}"


# Recognitions


@pytest.fixture
def recognitions(world: World) -> World:
    world.load(
        enterprises=[*(enterprise(number) for number in range(1, 7)), enterprise(7, "310115000000"), enterprise(8, "")],
        recognitions=[
            recognised(1, "2021-01-01"),
            recognised(2, "2025-12-31", level="national"),
            recognised(3, "2020-12-31", until="2023-12-31"),
            recognised(3, "2024-01-01", level="national"),
            recognised(4, "2022-05-01", until="2025-05-01"),
            recognised(5, "2026-01-01"),
            recognised(6, "2023-01-01", level="district"),
            recognised(7, "2023-01-01"),
            recognised(8, "2023-01-01"),
            recognised(9, "2023-01-01"),
        ],
    )
    return world


def test_new_means_first_recognised_within_the_plan(recognitions: World) -> None:
    content = recognitions.content("new_srdi_smes", "2025-12")
    assert recognitions.members(content) == {
        code(1): QUALIFIED,
        code(2): QUALIFIED,
        code(3): ("excluded", "before_plan"),
        code(4): QUALIFIED,
        code(5): ("excluded", "after_plan"),
        code(7): ("excluded", "outside_region"),
        code(8): ("excluded", "region_unknown"),
        code(9): ("excluded", "region_unknown"),
    }
    assert (content.value, content.status) == (D(3), "not_met")
    assert figures(content) == {"net_of_revoked": "2", "revoked": "1"}
    assert content.detail["groups"]["year"] == {"2021": 1, "2022": 1, "2025": 1}
    assert content.detail["gap"] == "297"


def test_deleting_one_row_changes_the_value_by_exactly_that_row(recognitions: World) -> None:
    recognitions.content("new_srdi_smes", "2025-12")
    recognitions.delete("registry.recognition", f"uscc = '{code(1)}'")
    outcome = recognitions.outcome("new_srdi_smes", "2025-12")
    assert outcome.draft is not None
    assert outcome.stored is not None
    assert (outcome.draft.content.value, outcome.stored.version) == (D(2), 2)
    assert code(1) not in recognitions.members(outcome.draft.content)


def test_a_count_goes_by_time_until_the_end(recognitions: World) -> None:
    content = recognitions.content("new_srdi_smes", "2024-06")
    assert (content.value, content.status) == (D(2), "behind")
    assert content.expected_progress == D("0.7")
    assert content.detail["expected"] == "210.0"


def test_a_stock_is_what_holds_on_the_last_day(world: World) -> None:
    kinds = [("municipal", "2018-01-01", ""), ("national", "2022-01-01", ""), ("municipal", "2019-01-01", "2024-03-01")]
    world.load(
        enterprises=[enterprise(number) for number in range(1, 4)],
        recognitions=[
            recognised(1, "2018-01-01", "enterprise_tech_center", until="2022-01-01"),
            recognised(1, "2022-01-01", "enterprise_tech_center", "national"),
            recognised(2, kinds[0][1], "enterprise_tech_center"),
            recognised(3, kinds[2][1], "enterprise_tech_center", until=kinds[2][2]),
        ],
    )
    stock, new = (
        world.content(name, "2024-12") for name in ("enterprise_tech_centers_stock", "new_enterprise_tech_centers")
    )
    assert world.members(stock) == {
        code(1): QUALIFIED,
        code(2): QUALIFIED,
        code(3): ("excluded", "revoked_or_expired"),
    }
    assert stock.detail["groups"]["level"] == {"municipal": 1, "national": 1}
    assert (stock.value, stock.status, stock.progress) == (D(2), "baseline_missing", None)
    assert stock.detail["still_needed_a_year"] == "65", "shown without a base"
    assert (new.value, world.members(new)[code(1)]) == (D(0), ("excluded", "before_plan")), "an upgrade is not new"
    assert world.content("enterprise_tech_centers_stock", "2024-02").value == 3


def test_certificates_and_platforms_are_counted_by_item(world: World) -> None:
    world.load(
        enterprises=[enterprise(1)],
        recognitions=[
            recognised(1, "2023-01-01", "shanghai_brand", item="tea"),
            recognised(1, "2024-01-01", "shanghai_brand", item="cakes"),
            recognised(1, "2024-01-01", "benchmark_platform", item="cloud"),
        ],
    )
    content = world.content("shanghai_brand_certs", "2025-12")
    assert world.members(content) == {f"{code(1)} tea": QUALIFIED, f"{code(1)} cakes": QUALIFIED}
    assert world.content("ii_benchmark_platforms", "2025-12").value == 1


def test_a_range_is_met_at_its_lower_end(world: World) -> None:
    rows = [recognised(number, "2024-01-01", "tech_innovation_center") for number in (1, 2)]
    world.load(enterprises=[enterprise(number) for number in (1, 2, 3)], recognitions=rows)
    content = world.content("municipal_innovation_centers", "2025-12")
    assert (content.value, content.status, content.detail["stretch"]) == (D(2), "met", False)
    world.load(recognitions=[recognised(3, "2024-01-01", "tech_innovation_center")])
    assert world.content("municipal_innovation_centers", "2025-12").detail["stretch"] is True


def test_without_the_register_there_is_no_zero(world: World) -> None:
    world.load(enterprises=[enterprise(1)], recognitions=[recognised(1, "2023-01-01")])
    content = world.content("recognized_hq_count", "2025-12")
    assert (content.value, content.status) == (None, "insufficient_data")
    assert content.status_reason == (
        "missing: recognitions (recognitions.csv), headquarters: headquarters; "
        "from the district's commission for commerce"
    )


# Projects and standards


def project(number: int, firm: int, state: str, on: str = "", kind: str = "restructuring") -> str:
    return (
        f"project=P{number} kind={kind} uscc={code(firm)} name=x state={state} completed_on={on} valid_from=2021-01-01"
    )


def test_an_enterprise_with_two_projects_is_restructured_once(world: World) -> None:
    world.load(
        enterprises=[enterprise(number) for number in range(1, 7)],
        projects=[
            project(1, 1, "completed", "2022-03-01"),
            project(2, 1, "completed", "2023-03-01"),
            project(3, 2, "under_way"),
            project(4, 3, "completed", "2020-12-31"),
            project(5, 4, "completed", "2025-01-15"),
            project(6, 5, "cancelled"),
            project(7, 6, "completed", "2022-01-01", kind="tech_upgrade"),
        ],
    )
    content = world.content("restructured_firms", "2024-12")
    assert world.members(content) == {
        code(1): QUALIFIED,
        code(2): ("excluded", "not_completed"),
        code(3): ("excluded", "before_plan"),
        code(4): ("excluded", "after_period"),
        code(5): ("excluded", "cancelled"),
    }
    assert (content.value, figures(content)["projects"]) == (D(1), "2")
    assert (content.status, content.light) == ("behind", 1), "约束性: 一级, red"
    final = world.content("restructured_firms", "2025-12")
    assert (final.value, final.status, final.light) == (D(2), "not_met", 1)


def test_a_standard_counts_once_whoever_took_part(world: World) -> None:
    def part(firm: int, standard: str, on: str, level: str = "national", role: str = "participant") -> str:
        return f"uscc={code(firm)} standard={standard} title=x level={level} role={role} revision=false valid_from={on}"

    world.load(
        enterprises=[enterprise(1), enterprise(2), enterprise(3, "310115000000")],
        standards=[
            part(1, "GB-1", "2022-01-01", role="lead"),
            part(2, "GB-1", "2022-01-01"),
            part(2, "GB-2", "2020-06-01"),
            part(2, "GB-3", "2026-06-01"),
            part(3, "GB-4", "2023-01-01"),
            part(1, "JB-1", "2023-01-01", "industry"),
        ],
    )
    content = world.content("national_standards", "2025-12")
    assert world.members(content) == {
        "GB-1": QUALIFIED,
        "GB-2": ("excluded", "before_plan"),
        "GB-3": ("excluded", "after_plan"),
        "GB-4": ("excluded", "outside_region"),
    }
    assert figures(content)["led"] == "1"
    assert world.content("industry_standards", "2025-12").value == 1


# Parks and clusters


def output(subject: str, value: str, unit: str = "100m_cny", period: str = "2025") -> str:
    of_firm = subject.startswith("91")
    return (
        f"variable=industrial_output {'uscc' if of_firm else 'region'}={subject} period={period} "
        f"value={value} unit={unit} "
        f"scope={'enterprise' if of_firm else 'industry_above_scale'} price_basis=current "
        f"vintage={'report' if of_firm else 'annual'} "
        f"published_at=2026-03-20 legal_basis={'statistical' if of_firm else 'published'}"
    )


def test_a_park_without_published_output_leaves_its_land_out_too(world: World) -> None:
    world.load(
        park_land=[
            "area=park-lingang supplied_km2=2 valid_from=2020-01-01",
            "area=park-g60-cloud supplied_km2=0.5 valid_from=2020-01-01 valid_to=2025-01-01",
            "area=park-g60-cloud supplied_km2=1 valid_from=2025-01-01",
            "area=park-dongjing-robotics supplied_km2=1 valid_from=2020-01-01",
        ],
        observations=[output("park-lingang", "170"), output("park-g60-cloud", "700000", "10k_cny")],
    )
    content = world.content("park_land_output", "2025")
    assert world.members(content) == {
        "park-lingang": QUALIFIED,
        "park-g60-cloud": QUALIFIED,
        "park-dongjing-robotics": ("excluded", "output_missing"),
    }
    assert (content.value, content.numerator, content.denominator) == (D(80), D(240), D(3))
    assert (content.coverage, content.status) == (D("0.75"), "met")
    world.load(observations=[output("park-dongjing-robotics", "40")])
    assert world.content("park_land_output", "2025").value == 70


def test_rated_parks_count_on_the_last_day(world: World) -> None:
    world.load(
        areas=[
            f"area=park-x{number} kind=park name_zh=x valid_from=2021-01-01 stars={stars}"
            for number, stars in enumerate(["3", "5", "", "1"])
        ]
    )
    content = world.content("star_parks", "2023-12")
    stands = world.members(content)
    assert [stands[f"park-x{number}"][1] for number in range(4)] == ["qualified", "qualified", "not_rated", "qualified"]
    assert (content.value, content.detail["base"]["value"], content.status) == (D(3), "8", "behind")


def test_a_cluster_is_the_sum_of_its_list_and_not_judged_on_half_of_it(world: World) -> None:
    def listed(firm: int, cluster: str) -> str:
        return f"uscc={code(firm)} cluster={cluster} role=core document=list valid_from=2021-01-01"

    names = ("new-materials", "biomedicine", "information-technology")
    world.load(
        cluster_members=[listed(10 * place + firm, name) for place, name in enumerate(names) for firm in range(3)],
        observations=[
            *(output(code(firm), "400") for firm in range(3)),
            *(output(code(10 + firm), "100") for firm in range(3)),
            *(output(code(20 + firm), "400") for firm in range(2)),
        ],
    )
    content = world.content("clusters_100bn", "2025")
    assert world.members(content) == {
        "new-materials": QUALIFIED,
        "biomedicine": ("excluded", "too_small"),
        "information-technology": ("apart", "output_incomplete"),
        "new-energy-vehicles": ("excluded", "no_list"),
    }
    assert (content.value, figures(content)["incomplete"], content.status) == (D(1), "1", "not_met")
    assert content.legal_basis == "administrative", "sums of returns, never a return"
    world.load(observations=[output(code(22), "200")])
    assert world.content("clusters_100bn", "2025").value == 2
