"""What assessments deduct: beside 综合能源消费量, never inside it (domain B3). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

from warehouse.consumption.account import Account
from warehouse.consumption.terms import Amount, Factors, Flow, Line, Problem

CROSS_PROVINCE_BOUND: Final = Fraction(1, 2)
"""Of the required saving, what certificates from other provinces may make up (发改环资〔2024〕113号, from memory)."""


class Rule(StrEnum):
    """Rules of assessment."""

    NONE = "none"
    FEEDSTOCK = "feedstock"
    """发改环资〔2022〕803号 (from memory): energy used as raw material, in base and report year alike."""
    NON_FOSSIL_2022 = "non_fossil_2022"
    """Non-fossil energy off the total only."""
    NON_FOSSIL_2024 = "non_fossil_2024"
    """发改环资〔2024〕113号 (from memory): off total and intensity; certificates of other provinces are bounded."""


OFF: Final = {
    Rule.NONE: (),
    Rule.FEEDSTOCK: ("total", "intensity"),
    Rule.NON_FOSSIL_2022: ("total",),
    Rule.NON_FOSSIL_2024: ("total", "intensity"),
}
"""What each rule deducts from."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate or green power that the enterprise uses for the year."""

    number: str
    mwh: Fraction
    cross_province: bool
    own_site: bool


@dataclass(frozen=True, slots=True)
class Deduction:
    """What one rule deducts."""

    rule: Rule
    tce: Fraction | None
    """``None`` when something of it is missing or refused."""
    beyond_tce: Fraction
    """What the bound on certificates of other provinces leaves out."""
    lines: tuple[Line, ...]
    problems: tuple[Problem, ...]

    @property
    def off(self) -> tuple[str, ...]:
        """What it is deducted from: total, intensity."""
        return OFF[self.rule]


def deduct(
    rule: Rule,
    made: Account,
    amounts: Sequence[Amount],
    factors: Factors,
    certificates: Iterable[Certificate] = (),
    required_saving_tce: Fraction | None = None,
) -> Deduction:
    """Return what ``rule`` deducts beside the account ``made`` of ``amounts``; the account stays as it is."""
    if rule is Rule.NONE:
        return Deduction(rule, Fraction(0), Fraction(0), (), ())
    if rule is Rule.FEEDSTOCK:
        return _feedstock(made, amounts, factors)
    return _non_fossil(rule, amounts, factors, tuple(certificates), required_saving_tce)


def _feedstock(made: Account, amounts: Sequence[Amount], factors: Factors) -> Deduction:
    units = {line.energy: line.unit for line in (*made.lines, *made.left_out)}
    lines = tuple(
        Line(one.energy, one.flow, 1, one.amount, units.get(one.energy, ""), factors.get(one.energy), one.source)
        for one in amounts
        if one.flow is Flow.FEEDSTOCK
    )
    problems = tuple(
        Problem(line.source, "no_factor", f"feedstock of {line.energy} has no factor", "原料用能缺系数")
        for line in lines
        if line.kg is None
    )
    return Deduction(Rule.FEEDSTOCK, _tce(lines), Fraction(0), lines, problems)


def _non_fossil(
    rule: Rule,
    amounts: Sequence[Amount],
    factors: Factors,
    certificates: tuple[Certificate, ...],
    required_saving_tce: Fraction | None,
) -> Deduction:
    electricity = factors.get("electricity")
    problems: list[Problem] = []
    own = self_used(amounts)
    lines = []
    if own is not None:
        lines.append(Line("electricity", Flow.SELF_USED, 1, own, "kWh", electricity, "own generation (自发自用)"))
    far: list[Line] = []
    seen: set[str] = set()
    for one in certificates:
        if one.number in seen:
            problems.append(Problem(one.number, "certificate_twice", "the same certificate again", "证书重复"))
        elif one.own_site and own:
            problems.append(
                Problem(
                    one.number,
                    "claimed_twice",
                    "own generation is claimed physically already",
                    "自发自用电量与其证书不得重复计算",
                )
            )
        else:
            line = Line(
                "electricity", Flow.PURCHASED, 1, one.mwh * 1000, "kWh", electricity, f"certificate {one.number}"
            )
            (far if one.cross_province else lines).append(line)
        seen.add(one.number)
    if electricity is None and (lines or far):
        problems.append(Problem("electricity", "no_factor", "the set has no factor for it", "系数集缺该能源的系数"))
    near, from_far = _tce(lines), _tce(far)
    beyond = Fraction(0)
    if rule is Rule.NON_FOSSIL_2024 and far and from_far is not None:
        if required_saving_tce is None:
            problems.append(
                Problem(
                    "required saving",
                    "required_saving_missing",
                    "certificates of other provinces count up to half of it: give it",
                    "跨省绿证以节能目标的50%为限，请提供应节能量",
                )
            )
            from_far = None
        else:
            bound = required_saving_tce * CROSS_PROVINCE_BOUND
            beyond = max(Fraction(0), from_far - bound)
            from_far -= beyond
    tce = None if problems or near is None or from_far is None else near + from_far
    return Deduction(rule, tce, beyond, (*lines, *far), tuple(problems))


def self_used(amounts: Iterable[Amount]) -> Fraction | None:
    """Return the own generation that was used on site, kWh; ``None`` when none is reported or metered."""
    totals: dict[Flow, Fraction] = {}
    for one in amounts:
        if one.energy == "electricity" and one.amount is not None:
            totals[one.flow] = totals.get(one.flow, Fraction(0)) + one.amount
    if Flow.OWN_GENERATION in totals:
        return max(Fraction(0), totals[Flow.OWN_GENERATION] - totals.get(Flow.EXPORTED, Fraction(0)))
    return totals.get(Flow.SELF_USED)


def _tce(lines: Iterable[Line]) -> Fraction | None:
    parts = [line.kg for line in lines]
    if any(part is None for part in parts):
        return None
    return sum((part for part in parts if part is not None), Fraction(0)) / 1000
