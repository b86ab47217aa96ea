"""Gateways and meters, and what their energy costs and when it is expected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from warehouse.registry import cells
from warehouse.registry.cells import one_of
from warehouse.registry.tables.shape import (
    DAYS,
    INSTANTS,
    METER,
    SOURCE,
    USCC,
    VALID,
    Column,
    Row,
    Span,
    Table,
    Wrong,
    exactly_one,
    ordered,
)
from warehouse.times import to_ms

QUARTER_MS: Final = 900_000
CARRIERS: Final = one_of(
    electricity="电力|电",
    natural_gas="天然气",
    water="水",
    heat="热力",
    steam="蒸汽",
    compressed_air="压缩空气",
)
_FEED_IN: Final = Column("feed_in", "反向", cells.YES_NO, "false", note="false: drawn (正向); true: fed back (反向)")
_SOME_METER: Final = replace(
    METER, example="", optional=True, note="a meter in meters.csv; empty: the whole enterprise"
)
_CONTRACT: Final = Column("contract", "合同编号", cells.CODE, "3100-2024-00417", also=("户号", "合同号"))
_TARIFF: Final = Column("tariff", "电价类别", cells.SLUG, "sh-two-part")
_PERIODS: Final = {"sharp": "尖|尖峰", "peak": "峰", "flat": "平", "valley": "谷", "deep_valley": "深谷"}
_PRICE_UNITS: Final = {"demand": ("CNY/kW/month",), "capacity": ("CNY/kVA/month",)}


def _basis(row: Row) -> Iterator[Wrong]:
    for basis, needs in (("contracted_demand", "contracted_kw"), ("transformer_capacity", "capacity_kva")):
        if row["basis"] == basis and row[needs] is None:
            yield Wrong(needs, "an empty cell", f"a number with basis {basis} (必填)")
    if row["carrier"] != "electricity":
        for name in ("tariff", "voltage_kv", "basis", "contracted_kw", "capacity_kva"):
            if row[name] is not None:
                yield Wrong(name, f"{row[name]} with {row['carrier']}", "empty but for electricity (仅限电力)")


def _price_unit(row: Row) -> Iterator[Wrong]:
    item = str(row["item"])
    allowed = _PRICE_UNITS.get(item) or (("CNY/kWh", "CNY/m3", "CNY/MJ", "CNY/t") if item == "single" else ("CNY/kWh",))
    if row["unit"] not in allowed:
        yield Wrong("unit", f"{row['unit']} of {item}", " | ".join(allowed))


def _season(row: Row) -> Iterator[Wrong]:
    first, last = Decimal(str(row["first_month"])), Decimal(str(row["last_month"]))
    if last < first:
        yield Wrong("last_month", f"{last}", f"not before {first}; a season over New Year is two rows (跨年请分两行)")
    if Decimal(str(row["end_minute"])) > 1440 or Decimal(str(row["start_minute"])) >= 1440:
        yield Wrong("end_minute", "the next day", "hours of one day, 24:00 at most (不可跨日)")


def _one_day(row: Row) -> Iterator[Wrong]:
    start, end = Decimal(str(row["start_minute"])), Decimal(str(row["end_minute"]))
    if start >= 1440:
        yield Wrong("start_minute", "the next day", "an hour of the day it begins (开始时间不可跨日)")
    elif end > start + 1440:
        yield Wrong("end_minute", "more than a day", "24 hours at most (不超过24小时)")


def _full_quarters(row: Row) -> Iterator[Wrong]:
    for name in ("valid_from", "valid_to"):
        moment = row[name]
        if isinstance(moment, datetime) and to_ms(moment) % QUARTER_MS:
            yield Wrong(name, moment.isoformat(), "a full quarter-hour (须为整刻钟)")


def _term(row: Row) -> Iterator[Wrong]:
    if row["serial"] == row["term"]:
        yield Wrong("term", f"{row['term']}", "another meter than the sum (不得为自身)")
    if row["factor"] == 0:
        yield Wrong("factor", "0", "not 0 (不得为0)")


TABLES: Final = (
    Table(
        "gateway_bindings",
        "网关归属",
        "registry.gateway_binding",
        ("gateway", "valid_from"),
        (
            Column("gateway", "网关编号", cells.GATEWAY, "gw-0001", also=("网关",)),
            USCC,
            Column("site", "安装位置", cells.TEXT, "1号配电室", optional=True),
            *INSTANTS,
            *SOURCE,
        ),
        "which enterprise a gateway stands at",
        apart=(("gateway",),),
        checks=VALID,
    ),
    Table(
        "meters",
        "表计",
        "registry.meter_placement",
        ("meter_id", "valid_from"),
        (
            replace(METER, refers=None, note=""),
            Column(
                "carrier",
                "能源品种",
                CARRIERS,
                "electricity",
                note="fixed for a serial; gives the unit of its account: kWh, m3, m3, MJ, t, m3",
                identity=True,
            ),
            USCC,
            Column(
                "role",
                "表计类型",
                one_of(boundary="总表|贸易结算", sub="分表", generation="发电"),
                "boundary",
                also=("类型",),
            ),
            Column(
                "parent",
                "上级表计编号",
                cells.CODE,
                "",
                optional=True,
                refers="meter",
                note="serial of the meter upstream",
                stored="parent_id",
            ),
            Column("name", "用途说明", cells.TEXT, "1号总表", optional=True, also=("名称", "表计名称")),
            *INSTANTS,
            *SOURCE,
        ),
        "meters, whose account they belong to, and in which role; only `boundary` and `generation` make an account",
        apart=(("meter_id",),),
        checks=VALID,
    ),
    Table(
        "meter_series",
        "表计序列",
        "registry.meter_series",
        ("meter_id", "feed_in", "valid_from"),
        (
            METER,
            _FEED_IN,
            Column("gateway", "网关编号", cells.GATEWAY, "gw-0001"),
            Column("series", "序列名", cells.SERIES, "meter-1.energy", note="name in the gateway's birth"),
            *INSTANTS,
            *SOURCE,
        ),
        "which register of which gateway tells a meter's count, or which gauge its power when it has no register",
        apart=(("meter_id", "feed_in"),),
        checks=VALID,
    ),
    Table(
        "virtual_meters",
        "虚拟表计",
        "registry.virtual_term",
        ("meter_id", "term_id", "term_feed_in", "valid_from"),
        (
            replace(METER, note="a meter in meters.csv that no series tells; one row for each term of its sum"),
            Column(
                "term",
                "分项表计编号",
                cells.CODE,
                "310023456790",
                refers="meter",
                note="serial of a meter of the same unit; may be virtual too",
                also=("分项表号",),
                stored="term_id",
            ),
            replace(_FEED_IN, name="term_feed_in", zh="分项反向"),
            Column("factor", "系数", cells.NUMBER, "-1", note="1 adds it, -1 takes it off, 0.4 adds a share of it"),
            *INSTANTS,
            *SOURCE,
        ),
        "meters that nobody reads: sums of others; what is unknown of a term is unknown of the sum",
        apart=(("meter_id", "term_id", "term_feed_in"),),
        checks=(*VALID, _full_quarters, _term),
    ),
    Table(
        "multipliers",
        "倍率",
        "registry.multiplier",
        ("meter_id", "valid_from"),
        (
            METER,
            Column("pt", "电压互感器变比", cells.POSITIVE, "100", note="1 when there is no transformer", also=("PT",)),
            Column("ct", "电流互感器变比", cells.POSITIVE, "60", note="1 when there is no transformer", also=("CT",)),
            *INSTANTS,
            *SOURCE,
        ),
        "transformer ratios; without a row the energy is unknown",
        apart=(("meter_id",),),
        checks=VALID,
    ),
    Table(
        "meter_events",
        "换表记录",
        "registry.meter_event",
        ("meter_id", "feed_in", "at"),
        (
            METER,
            _FEED_IN,
            Column("at", "换表时间", cells.INSTANT, "2025-03-04T10:20:00+08:00"),
            Column(
                "old_end",
                "旧表止码",
                cells.NOT_NEGATIVE,
                "123456.78",
                note="last display before, in the register's unit",
            ),
            Column(
                "new_start", "新表起码", cells.NOT_NEGATIVE, "0.00", note="first display after, in the register's unit"
            ),
            Column("note", "备注", cells.TEXT, "", optional=True),
            *SOURCE,
        ),
        "exchanges and resets of a register",
    ),
    Table(
        "tariffs",
        "电价",
        "registry.tariff_attribute",
        ("tariff", "valid_from"),
        (
            _TARIFF,
            Column("name_zh", "名称", cells.TEXT, "上海 工商业 两部制"),
            Column("name_en", "英文名称", cells.TEXT, "Shanghai, two-part", optional=True),
            Column("structure", "电价结构", one_of(one_part="单一制", two_part="两部制"), "two_part"),
            *DAYS,
            *SOURCE,
        ),
        "classes of tariff; Shanghai's stand in `reference/`",
        apart=(("tariff",),),
        checks=VALID,
    ),
    Table(
        "tariff_periods",
        "分时电价时段",
        "registry.tariff_period",
        ("tariff", "first_month", "days", "start_minute", "valid_from"),
        (
            replace(_TARIFF, refers="tariff"),
            Column("first_month", "起始月", cells.whole(1, 12), "7"),
            Column("last_month", "终止月", cells.whole(1, 12), "8", note="included"),
            Column(
                "days", "日类型", one_of(all="每日", workday="工作日", weekend="休息日", holiday="法定节假日"), "all"
            ),
            Column("start_minute", "开始时间", cells.MINUTE, "08:00"),
            Column("end_minute", "结束时间", cells.MINUTE, "12:00", note="no longer in it"),
            Column("period", "时段", one_of(**_PERIODS), "peak"),
            Column(
                "of_flat", "平段倍数", cells.decimal("decimal number > 0, at most 4 decimals", 4, low=0), "1.8", True
            ),
            *DAYS,
            *SOURCE,
        ),
        "time of use by season and kind of day, Asia/Shanghai; Shanghai's of 2023 stands in `reference/`",
        apart=(("tariff", "days"),),
        spans=(Span("first_month", "last_month", closed=True), Span("start_minute", "end_minute", closed=False)),
        checks=(*VALID, ordered("start_minute", "end_minute"), _season),
    ),
    Table(
        "supply_contracts",
        "供用能合同",
        "registry.supply_term",
        ("contract", "valid_from"),
        (
            _CONTRACT,
            Column("carrier", "能源品种", CARRIERS, "electricity", note="fixed for a contract"),
            replace(METER, example="", optional=True, note="either the boundary meter …"),
            replace(USCC, optional=True, note="… or the enterprise"),
            replace(_TARIFF, refers="tariff", optional=True),
            Column("voltage_kv", "受电电压", cells.KILOVOLT, "10", optional=True, also=("电压等级",)),
            Column(
                "basis",
                "基本电费计收方式",
                one_of(contracted_demand="合同需量", measured_demand="实际最大需量", transformer_capacity="变压器容量"),
                "contracted_demand",
                optional=True,
            ),
            Column("contracted_kw", "合同需量", cells.KILOWATT, "1250", optional=True, also=("合同最大需量",)),
            Column("capacity_kva", "变压器容量", cells.KILOVOLTAMPERE, "1600", optional=True, also=("受电容量",)),
            *INSTANTS,
            *SOURCE,
        ),
        "terms of supply contracts; without a row demand limits and money are unknown",
        apart=(("contract",), ("meter_id",), ("uscc", "carrier")),
        checks=(*VALID, exactly_one("serial", "uscc"), _basis),
    ),
    Table(
        "supply_prices",
        "合同价格",
        "registry.supply_price",
        ("contract", "item", "valid_from"),
        (
            replace(_CONTRACT, refers="contract"),
            Column(
                "item",
                "价格项目",
                one_of(**_PERIODS, single="不分时", demand="需量", capacity="容量"),
                "peak",
                also=("项目", "时段"),
            ),
            Column("price", "单价", cells.PRICE, "1.0428", also=("电价", "价格")),
            Column(
                "unit",
                "单位",
                one_of(
                    **{
                        "CNY/kWh": "元/千瓦时|元/kWh",
                        "CNY/m3": "元/立方米|元/m3",
                        "CNY/MJ": "元/兆焦|元/MJ",
                        "CNY/t": "元/吨|元/t",
                        "CNY/kW/month": "元/千瓦·月|元/kW·月",
                        "CNY/kVA/month": "元/千伏安·月|元/kVA·月",
                    }
                ),
                "CNY/kWh",
                also=("计价单位",),
            ),
            *INSTANTS,
            *SOURCE,
        ),
        "prices of a contract by item, exact",
        apart=(("contract", "item"),),
        checks=(*VALID, _price_unit),
    ),
    Table(
        "shifts",
        "班次",
        "registry.shift",
        ("uscc", "meter_id", "shift", "valid_from"),
        (
            USCC,
            _SOME_METER,
            Column("shift", "班次名称", cells.CODE, "早班", also=("班次",)),
            Column("weekdays", "工作日", cells.WEEKDAYS, "12345", note="days on which it begins", also=("星期",)),
            Column("start_minute", "上班时间", cells.MINUTE, "08:00", also=("开始时间",)),
            Column(
                "end_minute", "下班时间", cells.MINUTE, "16:30", also=("结束时间",), note="次日06:00 on the next day"
            ),
            Column("holidays", "节假日上班", cells.YES_NO, "false"),
            *DAYS,
            *SOURCE,
        ),
        "when an enterprise, or what one meter feeds, is expected to run",
        apart=(("uscc", "meter_id", "shift"),),
        checks=(*VALID, ordered("start_minute", "end_minute"), _one_day),
    ),
    Table(
        "planned_stops",
        "计划停产",
        "registry.planned_stop",
        ("uscc", "meter_id", "valid_from"),
        (
            USCC,
            _SOME_METER,
            Column("reason", "停产原因", cells.TEXT, "年度检修", also=("原因",)),
            Column(
                "declared_by",
                "申报方",
                one_of(enterprise="企业", park_operator="园区运营方", administration="主管部门"),
                "park_operator",
            ),
            Column("declared_on", "申报日期", cells.DAY, "2025-01-10"),
            *INSTANTS,
            *SOURCE,
        ),
        "stops that were declared: no consumption is expected",
        apart=(("uscc", "meter_id"),),
        checks=VALID,
    ),
)
