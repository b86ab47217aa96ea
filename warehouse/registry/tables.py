"""The CSV files that the registry is loaded from: the one place that says what they hold.

``README.md`` in this folder is made from it (:mod:`warehouse.registry.readme`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from warehouse.registry import cells
from warehouse.registry.cells import Cell


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its kind, whether a cell may be empty, what it refers to, and an example."""

    name: str
    cell: Cell
    example: str
    optional: bool = False
    refers: str | None = None
    """Identity table whose key the cell must be."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One file: where its rows go, and what makes a row itself."""

    file: str
    target: str
    key: tuple[str, ...]
    """Columns of which no two rows are equal."""
    columns: tuple[Column, ...]
    what: str
    apart: tuple[str, ...] = ()
    """Columns within which validity must not overlap; empty when rows have none."""
    grows_only: bool = False
    """Rows are never changed: a differing one is added (observations) or refused (factors)."""

    def column(self, name: str) -> Column:
        """Return the column of that name."""
        return next(column for column in self.columns if column.name == name)


_SOURCE: Final = (
    Column("legal_basis", cells.LEGAL_BASIS, "administrative"),
    Column("source", cells.TEXT, "企业名录 2025-01", note="document or register; begins with `synthetic` in demo data"),
)
_DAYS: Final = (
    Column("valid_from", cells.DAY, "2021-01-01", note="first day"),
    Column("valid_to", cells.DAY, "", optional=True, note="first day it no longer holds; empty while it does"),
)
_INSTANTS: Final = (
    Column("valid_from", cells.INSTANT, "2025-01-01", note="from when"),
    Column("valid_to", cells.INSTANT, "", optional=True, note="until when (exclusive); empty while it holds"),
)
_USCC: Final = Column("uscc", cells.USCC, "91310117MA1J00014T")
_METER: Final = Column(
    "serial", cells.TEXT, "310023456789", refers="meter", note="serial number of a meter in meters.csv"
)
_FEED_IN: Final = Column("feed_in", cells.YES_NO, "false", note="false: drawn (正向); true: fed back (反向)")

TABLES: Final = (
    Table(
        "areas.csv",
        "registry.area_attribute",
        ("area", "valid_from"),
        (
            Column("area", cells.SLUG, "310117107000", note="code; administrative areas by their digits"),
            Column("kind", cells.one_of("district", "belt", "town", "statistical_area", "zone", "park"), "town"),
            Column("name_zh", cells.TEXT, "九亭镇"),
            Column("name_en", cells.TEXT, "Jiuting", optional=True),
            Column("parent", cells.SLUG, "belt-integration", optional=True, refers="area", note="the area it lies in"),
            Column(
                "tier",
                cells.one_of("municipal_featured", "district_featured", "district_nurtured"),
                "",
                optional=True,
                note="parks",
            ),
            Column("operator", cells.TEXT, "", optional=True, note="parks"),
            Column("stars", cells.whole(1, 5), "", optional=True, note="parks (星级)"),
            *_DAYS,
            *_SOURCE,
        ),
        "towns, zones, parks; the district's own stand in `reference/`",
        apart=("area",),
    ),
    Table(
        "enterprises.csv",
        "registry.enterprise_attribute",
        ("uscc", "valid_from"),
        (
            _USCC,
            Column("name", cells.TEXT, "上海示例机械有限公司"),
            Column("sector", cells.SECTOR, "C34", optional=True),
            Column("size", cells.one_of("large", "medium", "small", "micro", "unknown"), "small"),
            Column("registered_region", cells.REGION, "310117107000", optional=True, note="of the registered address"),
            Column("statistical_region", cells.REGION, "310117107000", optional=True, note="where statistics count it"),
            *_DAYS,
            *_SOURCE,
        ),
        "name, sector, size, place; a change is a further row, and the one before gets a `valid_to`",
        apart=("uscc",),
    ),
    Table(
        "enterprise_areas.csv",
        "registry.enterprise_area",
        ("uscc", "area", "valid_from"),
        (
            _USCC,
            Column("area", cells.SLUG, "park-dongjing-robotics", refers="area", note="any kind; several, or none"),
            *_DAYS,
            *_SOURCE,
        ),
        "where an enterprise operates",
        apart=("uscc", "area"),
    ),
    Table(
        "rosters.csv",
        "registry.roster",
        ("roster", "uscc", "valid_from"),
        (
            Column("roster", cells.one_of("industry_above_scale", "large_enterprises"), "industry_above_scale"),
            _USCC,
            Column("valid_from", cells.MONTH, "2021-01", note="first month on the list"),
            Column("valid_to", cells.MONTH, "", optional=True, note="first month no longer on it; empty while on it"),
            Column("reason", cells.TEXT, "grown", optional=True, note="why it entered or left"),
            *_SOURCE,
        ),
        "规上工业 by month; the year's list of large enterprises as rows from January to the next January",
        apart=("roster", "uscc"),
    ),
    Table(
        "platforms.csv",
        "registry.platform_attribute",
        ("platform", "valid_from"),
        (
            Column("platform", cells.SLUG, "cosmoplat"),
            Column("name_zh", cells.TEXT, "海尔卡奥斯"),
            Column("name_en", cells.TEXT, "COSMOPlat", optional=True),
            Column("operator", cells.TEXT, "", optional=True),
            Column("recognised", cells.YES_NO, "true", note="whether its roster attests onboarding"),
            *_DAYS,
            *_SOURCE,
        ),
        "industrial internet platforms; those that the plan names stand in `reference/`",
        apart=("platform",),
    ),
    Table(
        "platform_members.csv",
        "registry.platform_member",
        ("platform", "uscc", "grade", "valid_from"),
        (
            Column("platform", cells.SLUG, "cosmoplat", refers="platform"),
            _USCC,
            Column("grade", cells.one_of("platform_attested", "contract"), "platform_attested"),
            Column("state", cells.one_of("registered", "connected", "active", "dormant", "withdrawn"), "active"),
            Column("attested_on", cells.DAY, "2024-06-30", note="date of the roster or contract"),
            *_DAYS,
            *_SOURCE,
        ),
        "enterprises on a platform; a change of state is a further row",
        apart=("platform", "uscc", "grade"),
    ),
    Table(
        "questionnaire_results.csv",
        "registry.questionnaire_result",
        ("uscc", "instrument", "edition", "evidence", "assessed_on"),
        (
            _USCC,
            Column("instrument", cells.one_of("miit", "gbt39116", "gbt43439", "gbt23020"), "miit"),
            Column("edition", cells.TEXT, "2022"),
            Column("evidence", cells.one_of("certified_diagnosis", "onsite", "self_assessment"), "onsite"),
            Column("assessed_on", cells.DAY, "2024-05-20"),
            Column("withdrawn_on", cells.DAY, "", optional=True, note="day from which it no longer holds"),
            Column("level", cells.whole(0, 5), "2", note="0 is below the first level"),
            Column("score", cells.POINTS, "52.5", optional=True),
            *_SOURCE,
        ),
        "results of digital-maturity assessments",
    ),
    Table(
        "consents.csv",
        "registry.consent",
        ("uscc", "purpose", "valid_from"),
        (
            _USCC,
            Column("purpose", cells.one_of("statistics", "park_view"), "statistics"),
            Column("document", cells.TEXT, "协议 2024-117"),
            *_DAYS,
            *_SOURCE,
        ),
        "what an enterprise lets its readings be used for; `valid_to` is the day of withdrawal",
        apart=("uscc", "purpose"),
    ),
    Table(
        "gateway_bindings.csv",
        "registry.gateway_binding",
        ("gateway", "valid_from"),
        (
            Column("gateway", cells.GATEWAY, "gw-0001"),
            _USCC,
            Column("site", cells.TEXT, "1号配电室", optional=True),
            *_INSTANTS,
            *_SOURCE,
        ),
        "which enterprise a gateway stands at",
        apart=("gateway",),
    ),
    Table(
        "meters.csv",
        "registry.meter_placement",
        ("meter_id", "valid_from"),
        (
            Column("serial", cells.shaped(r"[^\x00-\x1f]{1,64}", "text, at most 64 characters"), "310023456789"),
            Column(
                "carrier",
                cells.one_of("electricity", "natural_gas", "water", "heat", "steam", "compressed_air"),
                "electricity",
                note="fixed for a serial; gives the unit of its account: kWh, m3, m3, MJ, t, m3",
            ),
            _USCC,
            Column("role", cells.one_of("boundary", "sub", "generation"), "boundary"),
            Column("parent", cells.TEXT, "", optional=True, refers="meter", note="serial of the meter upstream"),
            Column("name", cells.TEXT, "1号总表", optional=True),
            *_INSTANTS,
            *_SOURCE,
        ),
        "meters, whose account they belong to, and in which role; only `boundary` and `generation` make an account",
        apart=("meter_id",),
    ),
    Table(
        "meter_series.csv",
        "registry.meter_series",
        ("meter_id", "feed_in", "valid_from"),
        (
            _METER,
            _FEED_IN,
            Column("gateway", cells.GATEWAY, "gw-0001"),
            Column("series", cells.SERIES, "meter-1.energy", note="name in the gateway's birth"),
            *_INSTANTS,
            *_SOURCE,
        ),
        "which register of which gateway tells a meter's count",
        apart=("meter_id", "feed_in"),
    ),
    Table(
        "multipliers.csv",
        "registry.multiplier",
        ("meter_id", "valid_from"),
        (
            _METER,
            Column("pt", cells.POSITIVE, "100", note="1 when there is no transformer"),
            Column("ct", cells.POSITIVE, "60", note="1 when there is no transformer"),
            *_INSTANTS,
            *_SOURCE,
        ),
        "transformer ratios; without a row the energy is unknown",
        apart=("meter_id",),
    ),
    Table(
        "meter_events.csv",
        "registry.meter_event",
        ("meter_id", "feed_in", "at"),
        (
            _METER,
            _FEED_IN,
            Column("at", cells.INSTANT, "2025-03-04T10:20:00+08:00"),
            Column("old_end", cells.NOT_NEGATIVE, "123456.78", note="last display before, in the register's unit"),
            Column("new_start", cells.NOT_NEGATIVE, "0.00", note="first display after, in the register's unit"),
            Column("note", cells.TEXT, "", optional=True),
            *_SOURCE,
        ),
        "exchanges and resets of a register",
    ),
    Table(
        "energies.csv",
        "stats.energy",
        ("energy",),
        (
            Column("energy", cells.WORD, "electricity"),
            Column("code", cells.shaped(r"\d{2}", "2 digits"), "33", optional=True, note="of statistical table 205-1"),
            Column("name_zh", cells.TEXT, "电力"),
            Column("name_en", cells.TEXT, "electricity"),
            Column("unit", cells.TEXT, "kWh"),
            Column("working_medium", cells.YES_NO, "false"),
            Column(
                "carrier",
                cells.one_of("electricity", "natural_gas", "water", "heat", "steam", "compressed_air"),
                "electricity",
                optional=True,
                note="of the meters that measure it",
            ),
        ),
        "kinds of energy; complete in `reference/`",
    ),
    Table(
        "factor_sets.csv",
        "stats.factor_set",
        ("factor_set", "version"),
        (
            Column("factor_set", cells.SLUG, "songjiang"),
            Column("version", cells.whole(1, 9999), "1"),
            Column("name_zh", cells.TEXT, "综合能耗计算通则与上海地方系数"),
            Column("name_en", cells.TEXT, "GB/T 2589-2020 with Shanghai's values"),
            *_SOURCE,
        ),
        "sets of factors, by version",
        grows_only=True,
    ),
    Table(
        "factors.csv",
        "stats.factor",
        ("factor_set", "version", "energy", "basis", "level", "region", "uscc", "valid_from"),
        (
            Column("factor_set", cells.SLUG, "songjiang"),
            Column("version", cells.whole(1, 9999), "1"),
            Column("energy", cells.WORD, "electricity", refers="energy"),
            Column(
                "basis",
                cells.one_of("calorific", "equivalent", "mee_location", "mee_market", "shanghai_ets", "physical"),
                "calorific",
                note="calorific: 当量值, equivalent: 等价值; the others are carbon",
            ),
            Column("level", cells.one_of("measured", "local", "national", "default"), "national"),
            Column("region", cells.shaped(r"CN|CN-[A-Z]{1,3}|\d{6}", "CN, CN-E … or 6 digits"), "CN"),
            Column("uscc", cells.USCC, "", optional=True, note="of a measured factor, and only of one"),
            *_DAYS,
            Column("value", cells.NOT_NEGATIVE, "0.1229"),
            Column("unit", cells.TEXT, "kgce/kWh"),
            *_SOURCE,
        ),
        "factors of a set; never changed, a correction is a new version of the set",
        apart=("factor_set", "version", "energy", "basis", "level", "region", "uscc"),
        grows_only=True,
    ),
    Table(
        "observations.csv",
        "stats.observation",
        ("variable", "period", "subject", "scope", "price_basis", "vintage", "published_at"),
        (
            Column(
                "variable",
                cells.shaped(r"[a-z][a-z0-9_]{0,63}", "lower-case letters, digits, _"),
                "industrial_value_added",
            ),
            Column("region", cells.SLUG, "", optional=True, refers="area", note="either region …"),
            Column("uscc", cells.USCC, "91310117MA1J00014T", optional=True, note="… or enterprise"),
            Column("period", cells.PERIOD, "2025-03"),
            Column("value", cells.NUMBER, "1250.4"),
            Column("unit", cells.TEXT, "10k_cny", note="10k_cny (万元), 100m_cny (亿元), tce, kWh, percent, count …"),
            Column(
                "scope",
                cells.WORD,
                "enterprise",
                note="industry_above_scale, industry, manufacturing, enterprise, all …",
            ),
            Column(
                "price_basis",
                cells.one_of("none", "current", "constant_2015", "constant_2020", "constant_2025"),
                "current",
                note="none when it is not money",
            ),
            Column(
                "vintage",
                cells.one_of("flash", "annual", "census", "report"),
                "report",
                note="快报, 年报, 普查, own report",
            ),
            Column("published_at", cells.DAY, "2025-04-18"),
            *_SOURCE,
        ),
        "statistics; a value that differs from the one loaded before is added, and counts from then on",
        grows_only=True,
    ),
)
"""In the order in which they are loaded: what is referred to comes first."""
