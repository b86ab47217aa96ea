"""An account as lines of text for people, in Chinese or English. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Final

from warehouse.consumption.deductions import Rule
from warehouse.consumption.enterprise import Found
from warehouse.consumption.terms import Basis, Flow, Kind, Line, Problem, shown
from warehouse.table import aligned

FLOWS: Final = {
    Flow.OPENING_STOCK: ("opening stock", "期初库存"),
    Flow.PURCHASED: ("purchased", "购进"),
    Flow.OWN_GENERATION: ("own generation", "自发电"),
    Flow.SELF_USED: ("self-used generation", "自发自用"),
    Flow.EXPORTED: ("exported", "外供"),
    Flow.CLOSING_STOCK: ("closing stock", "期末库存"),
    Flow.INDUSTRIAL: ("industrial consumption", "工业生产消费"),
    Flow.CONVERSION_INPUT: ("conversion input", "加工转换投入"),
    Flow.CONVERSION_OUTPUT: ("conversion output", "加工转换产出"),
    Flow.RECOVERED: ("recovered", "回收利用"),
    Flow.NON_INDUSTRIAL: ("non-industrial", "非工业生产消费"),
    Flow.FEEDSTOCK: ("feedstock", "用于原材料"),
    Flow.TRANSPORT: ("transport in the plant", "厂内运输"),
}
"""Names of the flows, English and Chinese."""
_HEADS: Final = (
    ("energy", "flow", "amount", "unit", "factor", "level", "result", "known", "estimated", "source"),
    ("能源", "项目", "数量", "单位", "系数", "层级", "结果", "完整率", "估算", "来源"),
)
_OFF: Final = {"total": ("total", "总量"), "intensity": ("intensity", "强度")}


def lines(found: Found, *, chinese: bool) -> Iterator[str]:
    """Give the account of ``found`` line by line, then its sum, what is missing, and what stands beside it."""
    zh = int(chinese)
    asked, rules = found.asked, found.rules
    where = ("reported", "企业报表") if found.reported else ("boundary meters", "边界计量表")
    yield (
        f"综合能源消费量 {asked.uscc} {asked.period.text} ({where[zh]}; "
        f"{asked.factor_set} v{asked.version}, {('当量值', '等价值')[rules.basis is Basis.EQUIVALENT]}; "
        f"{('working media', '耗能工质')[zh]} {(('out', 'in'), ('不计', '计入'))[zh][rules.include_working_media]}; "
        f"{('transport', '厂内运输')[zh]} {(('out', 'in'), ('不计', '计入'))[zh][rules.include_transport]})"
    )
    yield from _table(found.account.lines, found.kinds, "kgce", zh)
    if not found.account.lines and not found.account.left_out:
        yield from _nothing(found, zh)
    tce, known = found.account.tce, found.account.known_tce
    if tce is not None:
        yield f"{('total', '合计')[zh]}: {shown(tce, 4)} tce"
    else:
        part = "–" if known is None else f"{shown(known, 4)} tce"
        yield f"{('total: unknown; known so far', '合计：未知；已知部分')[zh]}: {part}"
    yield from _problems("missing", "缺失", found.account.missing, zh)
    yield from _problems("refused", "拒绝", found.account.refused, zh)
    if found.unmetered and not found.reported:
        names = ", ".join((found.kinds[energy].name_en, found.kinds[energy].name_zh)[zh] for energy in found.unmetered)
        yield f"{('reported, and not metered', '已上报而无计量表')[zh]}: {names}"
    if found.account.left_out:
        yield ("left out by the rule:", "按规则不计：")[zh]
        yield from _table(found.account.left_out, found.kinds, "kgce", zh)
    yield from _deduction(found, zh)
    yield from _carbon(found, zh)
    yield from _beside(found, zh)


def _nothing(found: Found, zh: int) -> Iterator[str]:
    if not found.reported:
        yield ("nothing: no boundary meter was placed at it in the period", "无数据：该时期没有边界计量表")[zh]
        return
    others = ", ".join(found.reported_periods) or "–"
    yield (
        f"nothing: it did not report for exactly this period; it did for {others}",
        f"无数据：没有该时期的报表；已有时期 {others}",
    )[zh]


def _table(rows: Iterable[Line], kinds: Mapping[str, Kind], unit: str, zh: int) -> Iterator[str]:
    table = []
    for line in rows:
        kind, factor = kinds[line.energy], line.factor
        ended = "" if factor is None or factor.ended is None else f" ({('held until', '有效至')[zh]} {factor.ended})"
        table.append(
            (
                (kind.name_en, kind.name_zh)[zh],
                FLOWS[line.flow][zh],
                "–" if line.amount is None else f"{'−' if line.sign < 0 else ''}{shown(line.amount)}",
                line.unit,
                "–" if factor is None else f"{shown(factor.value, 8)} {factor.unit}{ended}",
                "–" if factor is None else f"{factor.level} {factor.region}".strip(),
                "–" if line.kg is None else f"{shown(line.kg, 4)} {unit}",
                f"{shown(line.known * 100, 2)} %",
                f"{shown(line.estimated * 100, 2)} %",
                line.source,
            )
        )
    if not table:
        return
    yield from aligned(_HEADS[zh], table)
    for source in dict.fromkeys(
        f"{(kinds[line.energy].name_en, kinds[line.energy].name_zh)[zh]}: {line.factor.source}"
        for line in rows
        if line.factor is not None
    ):
        yield f"  {('factor', '系数来源')[zh]} {source}"


def _problems(en: str, chinese: str, problems: Iterable[Problem], zh: int) -> Iterator[str]:
    for one in problems:
        yield f"{(en, chinese)[zh]}: {one}"


def _deduction(found: Found, zh: int) -> Iterator[str]:
    deduction = found.deduction
    if deduction.rule is Rule.NONE:
        return
    off = ", ".join(_OFF[what][zh] for what in deduction.off)
    amount = "–" if deduction.tce is None else f"{shown(deduction.tce, 4)} tce"
    beside = ("beside it, never inside: deduction", "另列（不计入综合能源消费量）：扣减")[zh]
    yield f"{beside} {deduction.rule} = {amount} ({('off', '扣减')[zh]} {off})"
    yield from _table(deduction.lines, found.kinds, "kgce", zh)
    if deduction.beyond_tce:
        yield f"{('beyond the bound of 50 %', '超出50%限额')[zh]}: {shown(deduction.beyond_tce, 4)} tce"
    yield from _problems("refused", "拒绝", deduction.problems, zh)


def _carbon(found: Found, zh: int) -> Iterator[str]:
    if found.carbon is None:
        return
    total = found.carbon.t_co2
    so_far = f"– ({('known so far', '已知部分')[zh]} {shown(found.carbon.known_t_co2, 4)} tCO2)"
    amount = so_far if total is None else f"{shown(total, 4)} tCO2"
    yield f"{('carbon dioxide', '二氧化碳')[zh]} ({found.carbon.profile}): {amount}"
    yield from _table(found.carbon.lines, found.kinds, "kgCO2", zh)
    yield from _problems("missing", "缺失", found.carbon.missing, zh)


def _beside(found: Found, zh: int) -> Iterator[str]:
    if found.covered is not None:
        said = ("kinds of energy with meters, of what was reported", "有计量表的能源占上报综合能源消费量")[zh]
        yield f"{said}: {shown(found.covered * 100, 2)} %"
    both = [one for one in found.beside if one.metered is not None or one.reported is not None]
    if not any(one.reported is not None for one in both):
        return
    heads = (("energy", "metered", "reported", "unit", "deviation"), ("能源", "计量", "上报", "单位", "偏差"))
    yield ("metered and reported:", "计量与上报：")[zh]
    yield from aligned(
        heads[zh],
        [
            (
                (found.kinds[one.energy].name_en, found.kinds[one.energy].name_zh)[zh],
                _amount(one.metered),
                _amount(one.reported),
                found.kinds[one.energy].unit,
                "–" if one.deviation is None else f"{shown(one.deviation * 100, 2)} %",
            )
            for one in both
        ],
    )


def _amount(amount: Fraction | None) -> str:
    return "–" if amount is None else shown(amount)
