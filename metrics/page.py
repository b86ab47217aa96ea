"""The page that documents every indicator, made from the catalogue: `docs/indicators.md`. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from metrics.entries import Catalogue, Entry, Formula, Kind, Nature
from metrics.rulesets import Parameter, Rules
from metrics.targets import Plan, Target

_NATURES: Final = {Nature.BINDING: "约束性 binding", Nature.EXPECTED: "预期性 expected", None: "–"}
_PROGRESS: Final = {
    Kind.CUMULATIVE: "X / T against k / n: years since the base date over years of the plan (累计，按时间进度)",
    Kind.COUNT: "X / T against k / n (累计，按时间进度)",
    Kind.STOCK: "(X − B) / (T − B) against k / n (存量)",
    Kind.RATIO: "(X − B) / (T − B) against k / n, full years only (比重)",
    Kind.LEVEL: "(X − B) / (T − B) against k / n, full years only (水平)",
    Kind.GROWTH: "mean of the m chained yearly rates over T; its clock is m (年均增速)",
    Kind.DECLINE: "ln(1 − D) / ln(1 − T) against m / n, path 1 − (1 − T)^(m/n), m chained years (累计降幅)",
    Kind.RANGE: "a path to the lower end, which is met; the upper end is stretch (区间)",
    Kind.BAND: "inside or outside of base ± tolerance; no path (基本稳定)",
    Kind.MILESTONE: "yes or no, with its evidence (是否实现)",
    Kind.RANK: "reached or not, 1 is the highest (位次)",
    Kind.PANEL: "none: it says nothing beyond its members (样本)",
}
_FORMULAS: Final = {
    Formula.COUNT: "members in the numerator",
    Formula.PERCENT: "100 × members in the numerator / members in the denominator",
    Formula.QUOTIENT: "Σ amount / Σ weight",
    Formula.SHARE: "100 × Σ amount / Σ weight",
    Formula.SUM: "Σ amount",
    Formula.GROWTH: "100 × ((∏(1 + gᵧ))^(1/m) − 1)",
    Formula.PANEL_CHANGE: "100 × ((Σ energy / Σ output) / (the same a year before) − 1)",
    Formula.DECLINE: "100 × (1 − ∏(1 + cᵧ))",
}


def page(catalogue: Catalogue) -> str:
    """Return the page: plans, then each indicator with formula, sources and who is responsible, then the rules."""
    return "\n".join((*_head(), *_plans(catalogue), *_indicators(catalogue), *_rules(catalogue)))


def _head() -> Iterator[str]:
    yield "# Indicators (指标)"
    yield ""
    yield "Made from the files of [metrics/](../metrics/README.md) (`make generate`). Every result carries its rule"
    yield "set, the digest of its SQL, the vintage of its statistics and its members: `g60 metrics evidence ID`."
    yield ""
    yield "A missing input gives no value and says what to supply; a value without a base, or a part of a year, is"
    yield "shown without progress; the unknown is never 0 (缺数据不计零，缺基期不算进度，未满整年不比目标)."
    yield ""
    yield "| kind | progress |"
    yield "|---|---|"
    for kind, told in _PROGRESS.items():
        yield f"| {kind.value} | {told} |"
    yield ""
    yield "r = progress / expected progress: on track from 1, slightly behind from 0.9, else behind; of 约束性"
    yield "indicators 三级 (green), 二级, 一级 (red). After the plan's last day: met or not met."
    yield ""


def _plans(catalogue: Catalogue) -> Iterator[str]:
    yield "## Plans (规划)"
    yield ""
    for plan in sorted(catalogue.plans.values(), key=lambda plan: (plan.base_date, plan.plan)):
        entries = [entry for entry in catalogue.entries.values() if entry.plan == plan.plan]
        yield f"### {plan.name_zh}"
        yield ""
        yield f"{plan.name_en}; base date {plan.base_date}, ends {plan.end_date}. `{plan.plan}`"
        yield ""
        for document in plan.documents:
            number = f" {document.number}" if document.number else ""
            seen = "" if document.seen else "; text not seen (未见文本)"
            yield f"- {document.title_zh}{number}, {document.issued}{seen}. {document.note_zh}; {document.note_en}"
        yield ""
        yield "| 序号 | indicator | 指标 | 目标 | 单位 | 属性 | kind |"
        yield "|---|---|---|---|---|---|---|"
        for entry in sorted(entries, key=lambda entry: (entry.number or 99, entry.section, entry.indicator)):
            yield (
                f"| {entry.number or ''} | [{entry.indicator}](#{entry.indicator}) | {entry.name_zh} "
                f"| {_wanted(entry.target)} | {entry.unit_zh} | {_NATURES[entry.nature]} | {entry.kind.value} |"
            )
        yield ""
    own = [entry for entry in catalogue.entries.values() if entry.plan is None]
    yield f"Figures of our own, in no plan: {', '.join(f'[{entry.indicator}](#{entry.indicator})' for entry in own)}."
    yield ""


def _indicators(catalogue: Catalogue) -> Iterator[str]:
    yield "## Every indicator (逐项说明)"
    yield ""
    carried = {
        f"{carry.indicator}_{plan.suffix}": carry.indicator
        for plan in catalogue.plans.values()
        for carry in plan.carries
    }
    for entry in catalogue.entries.values():
        yield f"### {entry.indicator}"
        yield ""
        if entry.indicator in carried:
            yield f"{entry.name_zh} · {entry.name_en}. As [{carried[entry.indicator]}](#{carried[entry.indicator]}),"
            yield f"under `{entry.plan}`; target: {_wanted(entry.target)}."
            yield ""
            continue
        yield from _one(entry, catalogue.plans.get(entry.plan or ""))


def _one(entry: Entry, plan: Plan | None) -> Iterator[str]:
    yield f"**{entry.name_zh}** · {entry.name_en} ({entry.unit_zh}, {entry.unit})"
    yield ""
    yield f"{entry.definition_zh}。"
    yield ""
    where = f"{plan.document} {entry.section}" if plan else entry.section
    yield f"- where it stands (出处): {where}; {_NATURES[entry.nature]}; {entry.kind.value}"
    for target in entry.targets:
        wanted = f"{_wanted(target)} {entry.unit_zh}; {_base(entry, target)}"
        yield f"- target (目标) v{target.version}, due {target.due}: {wanted}"
    for scenario in entry.scenarios:
        yield f"- {scenario.name_en} ({scenario.name_zh}; {scenario.source})"
    yield f"- population (范围): {entry.population}"
    yield f"- numerator (分子): {entry.numerator}"
    if entry.denominator:
        yield f"- denominator (分母): {entry.denominator}"
    yield f"- formula (公式): {_FORMULAS[entry.formula]}; [{entry.sql}](../metrics/indicators/{entry.sql})"
    if entry.parameters:
        yield f"- parameters (参数): {_parameters(entry.parameters)}"
    yield f"- registers (数据来源): {', '.join(f'`{name}`' for name in entry.registers)}"
    yield f"- rule set (规则): [{entry.rules}](#rules-{entry.rules.replace('_', '-')})"
    presumed = " (presumed, to be confirmed; 规划未指定，待确认)" if entry.owner_presumed else ""
    yield f"- 责任单位: {entry.owner}{presumed}"
    periods = ", ".join(period.value for period in entry.periods)
    yield f"- {entry.frequency}, for {periods}; inputs due {entry.due_after_days} days after the period (报送期限)"
    for needed in entry.inputs:
        told = "refused where there is (不予采用)" if needed.refused else "needs (所需)"
        yield f"- {told}: {needed.what_en.rstrip(':')} · {needed.what_zh.rstrip('：')}; {needed.from_zh}"
    for figure in entry.beside:
        yield f"- beside it (并列): {figure.name_zh} · {figure.name_en}"
    if entry.note_zh:
        yield f"- **{entry.note_zh}** · {entry.note_en}"
    yield ""


def _rules(catalogue: Catalogue) -> Iterator[str]:
    yield "## Rule sets (规则)"
    yield ""
    yield "Choices that no document makes; change the file in [metrics/rules](../metrics/rules) and every later result"
    yield "says so."
    yield ""
    for rules in catalogue.rules.values():
        yield from _rule(rules)


def _rule(rules: Rules) -> Iterator[str]:
    yield f"### rules {rules.set.name.replace('_', ' ')}"
    yield ""
    yield f"`{rules.label}`: {rules.set.note_zh} {rules.set.note_en}"
    yield ""
    if rules.set.parameters:
        yield f"{_parameters(rules.set.parameters)}"
        yield ""


def _wanted(target: Target | None) -> str:
    if target is None:
        return "未见目标 target missing"
    if target.value is None:
        return str(target.wording)
    high = "" if target.value_high is None else f"–{_number(target.value_high)}"
    return f"{_number(target.value)}{high}"


def _base(entry: Entry, target: Target) -> str:
    if target.base is not None:
        note = f" ({target.base_note_zh}; {target.base_note_en})" if target.base_note_zh else ""
        told = f"base {_number(target.base)}{note}"
    elif entry.kind in (Kind.CUMULATIVE, Kind.COUNT):
        told = "counted from 0"
    elif entry.kind in (Kind.GROWTH, Kind.DECLINE, Kind.MILESTONE, Kind.RANK):
        told = "needs no base"
    else:
        told = "no base known (缺基期值)"
    return told + ("; the same registers' value of the base year goes before it" if entry.base_from_registers else "")


def _parameters(parameters: Mapping[str, Parameter]) -> str:
    return ", ".join(f"`{name} = {_value(value)}`" for name, value in parameters.items())


def _value(value: Parameter) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return _number(value) if isinstance(value, Decimal) else str(value)


def _number(value: Decimal) -> str:
    return f"{value:f}"
