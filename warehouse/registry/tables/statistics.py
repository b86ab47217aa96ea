"""Kinds of energy, factors, and published or reported statistics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from warehouse.period import PeriodType, parse_period
from warehouse.registry import cells
from warehouse.registry.cells import one_of
from warehouse.registry.tables.metering import CARRIERS
from warehouse.registry.tables.shape import DAYS, SOURCE, USCC, VALID, Column, Row, Table, Wrong, exactly_one

_SET: Final = Column("factor_set", "系数集", cells.SLUG, "songjiang")
_VERSION: Final = Column("version", "版本", cells.whole(1, 9999), "1")


def _measured_has_owner(row: Row) -> Iterator[Wrong]:
    if (row["level"] == "measured") != (row["uscc"] is not None):
        yield Wrong("uscc", f"{row['uscc']}", "a code with level measured, else empty (仅实测值填写)")


def _low_below_high(row: Row) -> Iterator[Wrong]:
    if row["low"] > row["high"]:  # type: ignore[operator]  # both numbers
        yield Wrong("high", f"{row['high']}", f"not below low {row['low']} (不小于下限)")


def _steam_has_enthalpy(row: Row) -> Iterator[Wrong]:
    given = (row["enthalpy"], row["return_enthalpy"])
    if (row["energy"] == "steam") != (None not in given) or given.count(None) == 1:
        yield Wrong(
            "enthalpy", " … ".join(map(str, given)), "both with steam, none with anything else (仅蒸汽填写焓值)"
        )
    elif None not in given and given[1] >= given[0]:  # type: ignore[operator]  # both numbers
        yield Wrong("return_enthalpy", f"{given[1]}", f"below enthalpy {given[0]} (须小于蒸汽焓)")


def _no_day(row: Row) -> Iterator[Wrong]:
    if parse_period(str(row["period"])).type is PeriodType.DAY:
        yield Wrong("period", f"{row['period']}", "a month or longer (月度及以上)")


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


_ENERGY: Final = Column("energy", "能源", cells.WORD, "electricity", refers="energy")
_BASIS: Final = Column(
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
)
_VINTAGE: Final = Column(
    "vintage",
    "数据版本",
    one_of(flash="快报", annual="年报", census="普查", report="企业自报"),
    "report",
    note="快报, 年报, 普查, own report",
)
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
            _ENERGY,
            _BASIS,
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
        "factor_ranges",
        "系数范围",
        "stats.factor_range",
        ("factor_set", "version", "energy", "basis"),
        (
            _SET,
            _VERSION,
            replace(_ENERGY, example="natural_gas"),
            _BASIS,
            Column("low", "下限", cells.NOT_NEGATIVE, "1.1000"),
            Column("high", "上限", cells.NOT_NEGATIVE, "1.3300"),
            Column("unit", "单位", cells.TEXT, "kgce/m3"),
            *SOURCE,
        ),
        "where a standard gives a range and no value: factors outside it are refused",
        grows_only=True,
        checks=(_low_below_high,),
    ),
    Table(
        "energy_reports",
        "能源消费报表",
        "stats.energy_report",
        ("uscc", "period", "energy", "flow", "vintage", "published_at"),
        (
            USCC,
            Column("period", "时期", cells.PERIOD, "2025-03", also=("报告期",)),
            _ENERGY,
            Column(
                "flow",
                "项目",
                one_of(
                    opening_stock="期初库存|期初库存量|年初库存量",
                    purchased="购进量|购进",
                    own_generation="自发电量",
                    self_used="自发自用电量|自发自用",
                    exported="外供量|外供|上网电量",
                    closing_stock="期末库存|期末库存量",
                    industrial_consumption="工业生产消费量|工业生产消费",
                    conversion_input="加工转换投入|加工转换投入合计",
                    conversion_output="加工转换产出",
                    recovered="回收利用",
                    non_industrial="非工业生产消费量|非工业生产消费",
                    feedstock="用于原材料",
                    transport="厂内运输",
                ),
                "purchased",
                note="conversion_input, feedstock and transport are parts of industrial_consumption",
            ),
            Column("amount", "数量", cells.NOT_NEGATIVE, "125.6", also=("实物量",)),
            Column(
                "unit",
                "单位",
                cells.UNIT,
                "10k_kWh",
                note="kWh, 10k_kWh, m3, 10k_m3, kg, t, MJ, GJ …",
                also=("计量单位",),
            ),
            Column("enthalpy", "蒸汽焓", cells.POSITIVE, "", optional=True, note="of steam: kJ/kg as delivered"),
            Column(
                "return_enthalpy",
                "回水焓",
                cells.NOT_NEGATIVE,
                "",
                optional=True,
                note="of steam: kJ/kg of the water returned or fed",
            ),
            _VINTAGE,
            Column("published_at", "上报日期", cells.DAY, "2025-04-10", also=("发布日期",)),
            *SOURCE,
        ),
        "amounts of energy by flow, as enterprises report them (表 205-1, 205-2)",
        grows_only=True,
        amended=("amount", "unit", "enthalpy", "return_enthalpy", "legal_basis"),
        checks=(_steam_has_enthalpy, _no_day),
    ),
    Table(
        "certificates",
        "绿色电力证书",
        "registry.certificate",
        ("number",),
        (
            Column("number", "证书编号", cells.CODE, "GEC-2025-000001", also=("绿证编号", "交易编号")),
            Column("kind", "类型", one_of(certificate="绿证", green_power="绿电交易|绿电"), "certificate"),
            replace(USCC, note="who uses it"),
            Column(
                "generation",
                "电源类型",
                one_of(wind="风电", solar="光伏|太阳能", hydro="水电", biomass="生物质", nuclear="核电", other="其他"),
                "wind",
            ),
            Column("mwh", "电量（兆瓦时）", cells.POSITIVE, "100", also=("电量",)),
            Column("generated_month", "生产月份", cells.MONTH, "2025-03", also=("电量生产年月",)),
            Column(
                "used_year", "使用年度", cells.whole(2000, 2100), "2025", note="year of the assessment it is used for"
            ),
            Column("cross_province", "跨省", cells.YES_NO, "true", also=("是否跨省",)),
            Column(
                "own_site",
                "自有场地",
                cells.YES_NO,
                "false",
                note="generated on the enterprise's own site: counts physically or by certificate, once",
            ),
            *SOURCE,
        ),
        "green certificates and green power that enterprises use; a number counts once",
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
            _VINTAGE,
            Column("published_at", "发布日期", cells.DAY, "2025-04-18"),
            *SOURCE,
        ),
        "statistics; a value that differs from the one loaded before is added, and counts from then on",
        grows_only=True,
        amended=("value", "unit", "legal_basis"),
        checks=(exactly_one("region", "uscc"), _months_together),
    ),
)
