"""A synthetic district for every indicator: rows as registers have them, and answers that are counts of the planted.

Nothing here asks the database. Each part adds its rows and says what its indicators must come to.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

from tests.metrics.world import code

ROSTER: Final = 1668
LARGE: Final = 60
YEARS: Final = range(2021, 2026)
TOWNS: Final = ("310117107000", "310117104000", "310117106000", "310117121000")
SOURCE: Final = {"legal_basis": "administrative", "source": "synthetic"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What an indicator must come to at the end of 2025."""

    value: Decimal
    status: str
    reasons: dict[str, int] | None = None
    """How many members stand there for each reason."""
    beside: dict[str, str] = field(default_factory=dict)
    light: int | None = None


class District:
    """Rows by file, and answers by indicator."""

    def __init__(self, enterprises: int = 10_000) -> None:
        self.enterprises = enterprises
        self.rows: dict[str, list[dict[str, str]]] = defaultdict(list)
        self.answers: dict[str, Answer] = {}
        for part in (_population, _recognitions, _transformation, _platforms, _projects, _standards, _parks, _clusters):
            part(self)
        _published(self)

    def add(self, table: str, **cells: object) -> None:
        self.rows[table].append(SOURCE | {name: str(value) for name, value in cells.items()})

    def answer(self, indicator: str, value: int | str, status: str, **more: object) -> None:
        self.answers[indicator] = Answer(Decimal(value), status, **more)  # type: ignore[arg-type]  # as named there

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for table, rows in self.rows.items():
            names = dict.fromkeys(column for row in rows for column in row)
            with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as out:
                writer = csv.DictWriter(out, list(names))
                writer.writeheader()
                writer.writerows(rows)


def _population(district: District) -> None:
    """The last 250 are somewhere else, nowhere, or of unknown size."""
    outside, unplaced, unknown = _last(district)
    for number in range(district.enterprises):
        size = "large" if number < LARGE else "medium" if number < 500 else "small"
        region = TOWNS[number % len(TOWNS)]
        region = "310115000000" if number in outside else "" if number in unplaced else region
        district.add(
            "enterprises",
            uscc=code(number),
            name=f"企业{number}",
            size="unknown" if number in unknown else size,
            sector="D4411" if number in range(100, 110) else f"C{13 + number % 30}11",
            registered_region=region,
            valid_from="2015-01-01",
        )
    for number in range(ROSTER):
        district.add("rosters", roster="industry_above_scale", uscc=code(number), valid_from="2019-01")
    for number in range(LARGE):
        for year in YEARS:
            district.add(
                "rosters",
                roster="large_enterprises",
                uscc=code(number),
                valid_from=f"{year}-01",
                valid_to=f"{year + 1}-01",
            )


def _last(district: District) -> tuple[range, range, range]:
    end = district.enterprises
    return range(end - 250, end - 150), range(end - 150, end - 100), range(end - 100, end)


def _recognise(
    district: District, numbers: Iterable[int], kind: str, on: str, level: str, until: str = "", item: str = ""
) -> None:
    for number in numbers:
        district.add(
            "recognitions",
            uscc=code(number),
            kind=kind,
            level=level,
            item=item,
            document="认定文件",
            valid_from=on,
            valid_to=until,
        )


def _recognitions(district: District) -> None:
    outside, unplaced, _ = _last(district)
    center = "enterprise_tech_center"
    _recognise(district, range(5), center, "2016-03-01", "municipal", "2022-03-01")
    _recognise(district, range(5), center, "2022-03-01", "national")
    _recognise(district, range(5, 55), center, "2018-03-01", "municipal")
    _recognise(district, range(55, 60), center, "2018-03-01", "municipal", "2024-07-01")
    _recognise(district, range(60, 71), center, "2023-05-01", "municipal")
    _recognise(district, range(71, 72), center, "2023-05-01", "municipal", "2025-06-01")
    district.answer(
        "new_enterprise_tech_centers",
        12,
        "met",
        reasons={"before_plan": 60, "qualified": 12},
        beside={"net_of_revoked": "11", "revoked": "1"},
    )
    district.answer("enterprise_tech_centers_stock", 66, "not_met", reasons={"qualified": 66, "revoked_or_expired": 6})

    _recognise(district, range(100, 200), "srdi", "2019-01-01", "municipal")
    _recognise(district, range(200, 512), "srdi", "2022-01-01", "municipal")
    _recognise(district, range(512, 520), "srdi", "2022-01-01", "municipal", "2025-01-01")
    _recognise(district, range(200, 220), "srdi", "2024-01-01", "national")
    _recognise(district, outside[:5], "srdi", "2023-01-01", "municipal")
    _recognise(district, unplaced[:3], "srdi", "2023-01-01", "municipal")
    district.answer(
        "new_srdi_smes",
        320,
        "met",
        reasons={"before_plan": 100, "outside_region": 5, "qualified": 320, "region_unknown": 3},
        beside={"net_of_revoked": "312", "revoked": "8"},
    )

    _recognise(district, range(1000, 1096), "headquarters", "2022-01-01", "municipal")
    _recognise(district, range(1096, 1100), "headquarters", "2020-01-01", "district", "2025-12-31")
    district.answer("recognized_hq_count", 96, "not_met", reasons={"qualified": 96, "revoked_or_expired": 4})
    _recognise(district, range(27), "benchmark_factory", "2023-01-01", "municipal")
    _recognise(district, range(27, 29), "benchmark_factory", "2021-01-01", "municipal", "2024-01-01")
    district.answer("benchmark_smart_factories", 27, "met")
    _recognise(district, (300, 301), "tech_innovation_center", "2024-01-01", "municipal")
    district.answer("municipal_innovation_centers", 2, "met")
    _recognise(district, range(40, 53), "green_factory", "2023-01-01", "national")
    _recognise(district, range(53, 60), "green_factory", "2023-01-01", "municipal")
    district.answer("green_factories_national", 13, "met", reasons={"qualified": 13})
    _recognise(district, range(400, 431), "brand_demo", "2023-01-01", "district")
    district.answer("brand_demo_enterprises", 31, "met")
    for item in ("茶", "糕点"):
        _recognise(district, (400, 401), "shanghai_brand", "2023-01-01", "municipal", item=item)
    district.answer("shanghai_brand_certs", 4, "not_met")
    for item in ("云", "链", "智"):
        _recognise(district, range(600, 603), "benchmark_platform", "2024-01-01", "municipal", item=item)
    district.answer("ii_benchmark_platforms", 9, "not_met")


def _transformation(district: District) -> None:
    def assess(numbers: range, instrument: str, level: int) -> None:
        for number in numbers:
            district.add(
                "questionnaire_results",
                uscc=code(number),
                instrument=instrument,
                edition="2020" if instrument == "gbt39116" else "2022",
                evidence="certified_diagnosis",
                assessed_on="2025-03-01",
                level=level,
            )

    assess(range(LARGE, 1300), "miit", 2)
    assess(range(1300, 1500), "miit", 1)
    assess(range(50), "gbt39116", 2)
    assess(range(50, 55), "gbt39116", 1)
    qualified, assessed = 1240 + 50, 1240 + 200 + 55
    reasons = {"level_too_low": 205, "not_assessed": ROSTER - assessed, "qualified": qualified}
    district.answer("digital_transformation_ratio", _percent(qualified, ROSTER), "not_met", reasons=reasons)
    # Ten of the roster, all qualified, are no manufacturers.
    district.answer(
        "digital_transformation_ratio_mfg",
        _percent(qualified - 10, ROSTER - 10),
        "not_met",
        reasons=reasons | {"qualified": qualified - 10, "other_sector": 10},
    )
    district.answer("diagnosis_coverage_mfg", _percent(assessed - 10, ROSTER - 10), "not_met")


def _platforms(district: District) -> None:
    outside, _, unknown = _last(district)

    # The plan's own platforms are recognised from its beginning.
    district.add("platforms", platform="earlier", name_zh="早期平台", recognised="true", valid_from="2018-01-01")

    def join(
        numbers: Iterable[int], on: str, state: str = "active", grade: str = "platform_attested", platform: str = ""
    ) -> None:
        for number in numbers:
            district.add(
                "platform_members",
                platform=platform or ("cosmoplat" if number % 2 else "saimo"),
                uscc=code(number),
                grade=grade,
                state=state,
                attested_on="2025-12-31",
                valid_from=on,
            )

    qualified = range(2000, district.enterprises - 1000)
    join(qualified, "2023-06-01")
    join(range(LARGE - 40, LARGE), "2022-06-01")
    join(range(500, 650), "2020-06-01", platform="earlier")
    join(range(650, 850), "2024-06-01", "registered")
    join(range(850, 880), "2026-02-01")
    join(outside, "2023-06-01")
    join(unknown, "2023-06-01")
    join(range(1700, 2100), "2024-03-01", grade="contract")
    district.answer(
        "smes_on_platform",
        len(qualified),
        "not_met",
        reasons={
            "after_plan": 30,
            "before_plan": 150,
            "contract": 300,
            "large": 40,
            "outside_region": 100,
            "qualified": len(qualified),
            "registered_only": 200,
            "size_unknown": 100,
        },
        beside={"size_unknown": "100"},
    )
    district.answer("smes_on_platform_contract", 400, "no_target")


def _projects(district: District) -> None:
    def project(name: str, number: int, state: str, on: str = "") -> None:
        district.add(
            "projects",
            project=name,
            kind="restructuring",
            uscc=code(number),
            name="调整",
            state=state,
            completed_on=on,
            valid_from="2019-01-01",
        )

    for number in range(3000, 3361):
        project(f"A{number}", number, "completed", f"{2021 + number % 5}-06-30")
    for number in range(3000, 3050):
        project(f"B{number}", number, "completed", "2025-11-30")
    for number in range(3400, 3420):
        project(f"C{number}", number, "under_way")
    for number in range(3420, 3435):
        project(f"D{number}", number, "completed", "2020-12-31")
    district.answer(
        "restructured_firms",
        361,
        "met",
        reasons={"before_plan": 15, "not_completed": 20, "qualified": 361},
        beside={"projects": "411"},
        light=3,
    )


def _standards(district: District) -> None:
    def part(number: int, standard: str, level: str, on: str, role: str = "participant") -> None:
        district.add(
            "standards",
            uscc=code(number),
            standard=standard,
            title="标准",
            level=level,
            role=role,
            revision="false",
            valid_from=on,
        )

    for number in range(214):
        part(number, f"GB/T {number}-2023", "national", "2023-01-01", "lead" if number < 40 else "participant")
    for number in range(30):
        part(500 + number, f"GB/T {number}-2023", "national", "2023-01-01")
    for number in range(10):
        part(number, f"GB/T {number}-2019", "national", "2019-01-01")
    for number in range(47):
        part(700 + number, f"JB/T {number}-2024", "industry", "2024-01-01")
    district.answer(
        "national_standards", 214, "met", reasons={"before_plan": 10, "qualified": 214}, beside={"led": "40"}
    )
    district.answer("industry_standards", 47, "not_met")


def _observe(
    district: District, variable: str, period: str, value: str, unit: str, scope: str, price: str, **of: str
) -> None:
    subject = of or {"region": "310117"}
    district.add(
        "observations",
        variable=variable,
        uscc=subject.get("uscc", ""),
        region=subject.get("region", ""),
        period=period,
        value=value,
        unit=unit,
        scope=scope,
        price_basis=price,
        vintage="report" if "uscc" in subject else "annual",
        published_at="2026-03-20",
        legal_basis="statistical" if "uscc" in subject else "published",
    )


def _parks(district: District) -> None:
    for number in range(40):
        district.add(
            "areas",
            area=f"park-t{number}",
            kind="park",
            name_zh=f"园区{number}",
            stars=3 if number < 34 else "",
            valid_from="2021-01-01",
        )
        district.add("park_land", area=f"park-t{number}", supplied_km2="0.5", valid_from="2021-01-01")
        if number < 36:
            _observe(
                district,
                "industrial_output",
                "2025",
                "42",
                "100m_cny",
                "industry_above_scale",
                "current",
                region=f"park-t{number}",
            )
    district.answer("star_parks", 34, "met")
    district.answer("park_land_output", 84, "met", reasons={"output_missing": 4, "qualified": 36})


def _clusters(district: District) -> None:
    """Three of four reach 100 billion, and all three 10 billion; each has ten enterprises of equal output."""
    planted = {
        "information-technology": 120,
        "new-energy-vehicles": 101,
        "biomedicine": 100,
        "new-materials": 99,
        "integrated-circuits": 30,
        "high-end-equipment": 20,
        "artificial-intelligence": 10,
    }
    for place, (cluster, each) in enumerate(planted.items()):
        for number in range(600 + 10 * place, 610 + 10 * place):
            district.add(
                "cluster_members",
                uscc=code(number),
                cluster=cluster,
                role="core",
                document="名单",
                valid_from="2021-01-01",
            )
            _observe(
                district,
                "industrial_output",
                "2025",
                f"{each}0000",
                "10k_cny",
                "enterprise",
                "current",
                uscc=code(number),
            )
    district.answer("clusters_100bn", 3, "not_met", reasons={"qualified": 3, "too_small": 1})
    district.answer("clusters_10bn", 3, "met")


def _published(district: District) -> None:
    money, above, city = "100m_cny", "industry_above_scale", "all"
    figures = (
        ("tech_upgrade_investment", "2025", "130.2", money, "industry", "current"),
        ("industrial_fixed_investment", "2025", "210", money, "industry", "current"),
        ("manufacturing_value_added", "2020", "700", money, "manufacturing", "current"),
        ("gdp", "2020", "1600", money, city, "current"),
        ("manufacturing_value_added", "2025", "880", money, "manufacturing", "current"),
        ("gdp", "2025", "2000", money, city, "current"),
        ("sei_output", "2025", "3300", money, above, "current"),
        ("industrial_output", "2025", "5000", money, above, "current"),
        ("exports", "2025-01..12", "2555", money, city, "current"),
        ("contracted_fdi", "2025", "120000", "10k_usd", city, "current"),
        ("six_x_green_output", "2025", "630", money, above, "current"),
        ("six_x_output", "2025", "1500", money, above, "current"),
        ("ii_benchmark_parks", "2025", "1", "count", city, "none"),
        ("featured_industries_raised", "2025", "2", "count", city, "none"),
        ("ranking_ai_supercomputing", "2025", "2", "rank", city, "none"),
        ("rd_intensity_rank", "2025", "6", "rank", above, "none"),
    )
    for figure in figures:
        _observe(district, *figure)
    # 1.06² · 1 · 1.06³ is 6 % a year; 1.2² · 1 · 1.2³ is 20 %.
    for variable, scope, rates in (
        ("industrial_output_change", above, ("12.36", "0", "19.1016", "0", "0")),
        ("industrial_fixed_investment_change", "industry", ("44", "0", "72.8", "0", "0")),
    ):
        for year, rate in zip(YEARS, rates, strict=True):
            _observe(district, variable, str(year), rate, "percent", scope, "current")
    # A half, by e = −10 % and v = +25 %: 0.72; four years of ± 0 and one published fall of 25 %.
    _observe(district, "energy_consumption_change", "2021", "-10", "percent", above, "none")
    _observe(district, "industrial_value_added_change", "2021", "25", "percent", above, "constant_2020")
    for year, change in ((2022, "0"), (2023, "-25"), (2024, "0"), (2025, "0")):
        _observe(district, "energy_intensity_change", str(year), change, "percent", above, "constant_2020")
    for indicator, value, status in (
        ("tech_upgrade_inv_share", "62", "met"),
        ("mfg_va_gdp_share", "44", "met"),
        ("industrial_output_cagr", "6", "not_met"),
        ("sei_output_share", "66", "not_met"),
        ("export_value", "2555", "met"),
        ("energy_intensity_reduction", "46", "target_missing"),
        ("ifa_cagr", "20", "met"),
        ("new_contracted_fdi", "12", "not_met"),
        ("green_industry_share_6x", "42", "met"),
        ("ii_benchmark_park", "1", "met"),
        ("featured_industries", "2", "met"),
        ("ai_supercomputing_rank", "2", "met"),
        ("rd_intensity_rank", "6", "not_met"),
    ):
        district.answer(indicator, value, status)


def _percent(part: int, whole: int) -> str:
    return str(Decimal(100 * part) / Decimal(whole))
