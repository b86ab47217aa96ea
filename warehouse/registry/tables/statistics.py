"""Kinds of energy, factors, and published or reported statistics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from warehouse.registry import cells
from warehouse.registry.cells import one_of
from warehouse.registry.tables.metering import CARRIERS
from warehouse.registry.tables.shape import DAYS, SOURCE, USCC, VALID, Column, Row, Table, Wrong, exactly_one

_SET: Final = Column("factor_set", "系数集", cells.SLUG, "songjiang")
_VERSION: Final = Column("version", "版本", cells.whole(1, 9999), "1")


def _measured_has_owner(row: Row) -> Iterator[Wrong]:
    if (row["level"] == "measured") != (row["uscc"] is not None):
        yield Wrong("uscc", f"{row['uscc']}", "a code with level measured, else empty (仅实测值填写)")


def _change_of_something(row: Row) -> Iterator[Wrong]:
    if row["change_of"] is not None and row["kind"] != "change":
        yield Wrong("change_of", f"{row['change_of']}", "empty unless the kind is change (仅升降幅度填写)")
    if row["kind"] == "change" and row["units"] != "percent":
        yield Wrong("units", f"{row['units']}", "percent, for a change (升降幅度以百分比计)")


def _months_together(row: Row) -> Iterator[Wrong]:
    period = str(row["period"])
    published = row["legal_basis"] in ("published", "statistical")
    if published and str(row["scope"]).startswith("industry_above_scale") and period[4:] in ("-01", "-02"):
        yield Wrong("period", period, f"{period[:4]}-01..02: 规上 figures are published for 1–2月 together")


_VARIABLE: Final = Column(
    "variable",
    "指标",
    cells.shaped(r"[a-z][a-z0-9_]{0,63}", "lower-case letters, digits, _ (小写字母、数字、_)"),
    "industrial_value_added",
)
_WORDS: Final = cells.shaped(r"[A-Za-z0-9_/]+( [A-Za-z0-9_/]+)*", "words separated by spaces (以空格分隔)")


TABLES: Final = (
    Table(
        "energies",
        "能源种类",
        "stats.energy",
        ("energy",),
        (
            Column("energy", "能源", cells.WORD, "electricity"),
            Column(
                "code",
                "能源代码",
                cells.shaped(r"\d{2}", "2 digits (2位数字)"),
                "33",
                optional=True,
                note="of statistical table 205-1",
            ),
            Column("name_zh", "名称", cells.TEXT, "电力"),
            Column("name_en", "英文名称", cells.TEXT, "electricity"),
            Column("unit", "计量单位", cells.TEXT, "kWh"),
            Column("working_medium", "耗能工质", cells.YES_NO, "false"),
            Column("carrier", "能源品种", CARRIERS, "electricity", optional=True, note="of the meters that measure it"),
        ),
        "kinds of energy; complete in `reference/`",
    ),
    Table(
        "factor_sets",
        "系数集",
        "stats.factor_set",
        ("factor_set", "version"),
        (
            _SET,
            _VERSION,
            Column("name_zh", "名称", cells.TEXT, "综合能耗计算通则与上海地方系数"),
            Column("name_en", "英文名称", cells.TEXT, "GB/T 2589-2020 with Shanghai's values"),
            *SOURCE,
        ),
        "sets of factors, by version",
        grows_only=True,
    ),
    Table(
        "factors",
        "折算系数",
        "stats.factor",
        ("factor_set", "version", "energy", "basis", "level", "region", "uscc", "valid_from"),
        (
            _SET,
            _VERSION,
            Column("energy", "能源", cells.WORD, "electricity", refers="energy"),
            Column(
                "basis",
                "口径",
                one_of(
                    "mee_location",
                    "mee_market",
                    "shanghai_ets",
                    "physical",
                    calorific="当量值",
                    equivalent="等价值",
                ),
                "calorific",
                note="calorific: 当量值, equivalent: 等价值; the others are carbon",
            ),
            Column(
                "level",
                "层级",
                one_of(measured="实测", local="地方", national="国家", default="缺省"),
                "national",
            ),
            Column("region", "地区", cells.shaped(r"CN|CN-[A-Z]{1,3}|\d{6}", "CN, CN-E … or 6 digits"), "CN"),
            replace(USCC, example="", optional=True, note="of a measured factor, and only of one"),
            *DAYS,
            Column("value", "数值", cells.NOT_NEGATIVE, "0.1229"),
            Column("unit", "单位", cells.TEXT, "kgce/kWh"),
            *SOURCE,
        ),
        "factors of a set; never changed, a correction is a new version of the set",
        apart=(("factor_set", "version", "energy", "basis", "level", "region", "uscc"),),
        grows_only=True,
        checks=(*VALID, _measured_has_owner),
    ),
    Table(
        "variables",
        "统计指标",
        "stats.variable",
        ("variable",),
        (
            _VARIABLE,
            Column("name_zh", "名称", cells.TEXT, "工业增加值"),
            Column("name_en", "英文名称", cells.TEXT, "industrial value added"),
            Column(
                "kind",
                "类型",
                one_of(
                    total="总量",
                    balance="差额",
                    level="水平",
                    ratio="比率",
                    share="比重",
                    change="升降幅度",
                    rank="排名",
                ),
                "total",
            ),
            Column("change_of", "所属指标", cells.WORD, "", optional=True, note="of a change: what changed"),
            Column("units", "可用单位", _WORDS, "10k_cny 100m_cny", note="the usual one first"),
            Column("scopes", "可用统计范围", _WORDS, "industry industry_above_scale enterprise"),
            Column("price_bases", "可用价格口径", _WORDS, "current constant_2020"),
            Column("subjects", "对象", one_of(region="区域", enterprise="企业", either="均可"), "either"),
            Column("note", "说明", cells.TEXT, "", optional=True, note="what it must not be taken for"),
        ),
        "what observations may measure; complete in `reference/`",
        checks=(_change_of_something,),
    ),
    Table(
        "observations",
        "统计数据",
        "stats.observation",
        ("variable", "period", "subject", "scope", "price_basis", "vintage", "published_at"),
        (
            replace(_VARIABLE, refers="variable", note="one in variables.csv"),
            Column("region", "区域代码", cells.SLUG, "", optional=True, refers="area", note="either region …"),
            replace(USCC, optional=True, note="… or enterprise"),
            Column("period", "时期", cells.PERIOD, "2025-03", also=("报告期",)),
            Column("value", "数值", cells.FIGURE, "1250.4", also=("指标值",)),
            Column(
                "unit",
                "单位",
                cells.UNIT,
                "10k_cny",
                note="10k_cny (万元), 100m_cny (亿元), tce, kWh, percent, count …",
                also=("计量单位",),
            ),
            Column(
                "scope",
                "统计范围",
                cells.WORD,
                "enterprise",
                note="industry_above_scale, industry, manufacturing, enterprise, all …",
            ),
            Column(
                "price_basis",
                "价格口径",
                one_of(
                    "none",
                    current="现价",
                    constant_2015="2015年不变价",
                    constant_2020="2020年不变价",
                    constant_2025="2025年不变价",
                ),
                "current",
                note="none when it is not money",
            ),
            Column(
                "vintage",
                "数据版本",
                one_of(flash="快报", annual="年报", census="普查", report="企业自报"),
                "report",
                note="快报, 年报, 普查, own report",
            ),
            Column("published_at", "发布日期", cells.DAY, "2025-04-18"),
            *SOURCE,
        ),
        "statistics; a value that differs from the one loaded before is added, and counts from then on",
        grows_only=True,
        amended=("value", "unit", "legal_basis"),
        checks=(exactly_one("region", "uscc"), _months_together),
    ),
)
