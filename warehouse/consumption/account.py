"""综合能源消费量 of one enterprise and period (domain B3): lines in standard coal and their sum. Pure.

With 工业生产消费 reported for a kind of energy: consumption − transport (when the rule leaves it out) − output of
conversion − recovered. Else by what crossed the boundary: purchased + opening stock − closing stock + own generation −
exported − non-industrial. Output of conversion (self-made steam, air, power) is never added to the fuel that made it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from warehouse.consumption.terms import Amount, Factor, Factors, Flow, Kind, Line, Problem, Rules

SELF_MADE: Final = frozenset({"electricity", "heat", "steam", "compressed_air", "hydrogen", "oxygen", "nitrogen"})
"""Kinds that are commonly made on site: their consumption must come from somewhere."""
_GRAM: Final = Fraction(1, 1000)


@dataclass(frozen=True, slots=True)
class Account:
    """An account: its lines, what was left out by rule, what is missing, and what was refused."""

    lines: tuple[Line, ...]
    left_out: tuple[Line, ...]
    missing: tuple[Problem, ...]
    refused: tuple[Problem, ...]

    @property
    def known_tce(self) -> Fraction | None:
        """Sum of the lines that are known, tce; ``None`` when none is."""
        known = [line.kg for line in self.lines if line.kg is not None]
        return sum(known, Fraction(0)) * _GRAM if known else None

    @property
    def tce(self) -> Fraction | None:
        """综合能源消费量 in tce, exact; ``None`` when anything of it is missing or refused, or nothing was given."""
        return None if self.missing or self.refused else self.known_tce


def account(amounts: Iterable[Amount], kinds: Mapping[str, Kind], factors: Factors, rules: Rules) -> Account:
    """Make the account of ``amounts``, which are of one enterprise and period."""
    by_energy: dict[str, dict[Flow, list[Amount]]] = {}
    for one in amounts:
        by_energy.setdefault(one.energy, {}).setdefault(one.flow, []).append(one)
    lines: list[Line] = []
    left_out: list[Line] = []
    missing: list[Problem] = []
    refused: list[Problem] = []
    for energy, flows in sorted(by_energy.items(), key=lambda item: (kinds[item[0]].working_medium, item[0])):
        kind = kinds[energy]
        refused += _refused(energy, flows, rules)
        for sign, one in _entering(flows, rules):
            line = Line(
                energy,
                one.flow,
                sign,
                one.amount,
                kind.unit,
                _factor(one, factors),
                one.source,
                one.known,
                one.estimated,
            )
            if kind.working_medium and not rules.include_working_media:
                left_out.append(line)
                continue
            lines.append(line)
            missing += _missing(line)
        if rules.include_working_media or not kind.working_medium:
            missing += [*_half_a_stock(energy, flows), *_output_of_what(energy, flows)]
    return Account(tuple(lines), tuple(left_out), tuple(dict.fromkeys(missing)), tuple(refused))


def _entering(flows: Mapping[Flow, list[Amount]], rules: Rules) -> Iterator[tuple[int, Amount]]:
    """Give the amounts that count, with their signs."""
    if Flow.INDUSTRIAL in flows:
        signs = {Flow.INDUSTRIAL: 1, Flow.CONVERSION_OUTPUT: -1, Flow.RECOVERED: -1}
    else:
        signs = _supply(flows) | {Flow.NON_INDUSTRIAL: -1}
    if not rules.include_transport:
        signs[Flow.TRANSPORT] = -1
    for flow, sign in signs.items():
        for one in flows.get(flow, ()):
            yield sign, one


def _supply(flows: Mapping[Flow, list[Amount]]) -> dict[Flow, int]:
    """Return what came from outside, from stock or from no fuel, and what left, with their signs."""
    own = Flow.OWN_GENERATION if Flow.OWN_GENERATION in flows else Flow.SELF_USED
    return {Flow.PURCHASED: 1, Flow.OPENING_STOCK: 1, Flow.CLOSING_STOCK: -1, own: 1, Flow.EXPORTED: -1}


def _factor(one: Amount, factors: Factors) -> Factor | None:
    if one.energy == "steam":
        if one.steam is None:
            return None
        steam = one.steam
        told = f"({float(steam.enthalpy):g} − {float(steam.returned):g}) kJ/kg × 1000 / 29307.6"
        return Factor(steam.kgce_per_t, "kgce/t", "enthalpy", "", told)
    return factors.get(one.energy)


def _missing(line: Line) -> Iterator[Problem]:
    if line.amount is None:
        yield Problem(line.source, "amount_unknown", f"{line.energy} {line.flow} is unknown", "数量未知")
    elif line.known < 1:
        share = f"{float(line.known):.2%}"
        yield Problem(line.source, "incomplete", f"{line.energy} is known for {share} of the period", f"完整率{share}")
    if line.factor is None:
        if line.energy == "steam":
            yield Problem("steam", "no_enthalpy", "no enthalpies of steam are reported", "缺蒸汽焓值")
        else:
            yield Problem(line.energy, "no_factor", "the set has no factor for it", "系数集缺该能源的系数")


def _half_a_stock(energy: str, flows: Mapping[Flow, list[Amount]]) -> Iterator[Problem]:
    if Flow.INDUSTRIAL not in flows and (Flow.OPENING_STOCK in flows) != (Flow.CLOSING_STOCK in flows):
        yield Problem(energy, "half_a_stock", "one of opening and closing stock is missing", "期初、期末库存须同时填报")


def _output_of_what(energy: str, flows: Mapping[Flow, list[Amount]]) -> Iterator[Problem]:
    if Flow.CONVERSION_OUTPUT in flows and not {Flow.INDUSTRIAL, Flow.EXPORTED} & flows.keys():
        source = flows[Flow.CONVERSION_OUTPUT][0].source
        told = f"{energy} was made, and neither its consumption nor its export is reported"
        yield Problem(source, "output_unused", told, "有加工转换产出，须填报其消费量或外供量")


def _refused(energy: str, flows: Mapping[Flow, list[Amount]], rules: Rules) -> Iterator[Problem]:
    if not rules.own_conversion:
        for flow in (Flow.CONVERSION_INPUT, Flow.CONVERSION_OUTPUT):
            for one in flows.get(flow, ()):
                yield Problem(
                    one.source,
                    "conversion",
                    f"{energy} {flow}, and the rule knows no own conversion",
                    "规则未含加工转换",
                )
    totals = {flow: _sum(found) for flow, found in flows.items()}
    industrial = totals.get(Flow.INDUSTRIAL)
    for part in (Flow.FEEDSTOCK, Flow.TRANSPORT, Flow.CONVERSION_INPUT):
        amount = totals.get(part)
        if industrial is not None and amount is not None and amount > industrial:
            yield Problem(
                flows[part][0].source,
                "part_above_whole",
                f"{energy}: {part} {float(amount):g} above industrial_consumption {float(industrial):g}",
                "分项大于工业生产消费",
            )
    yield from _generation(energy, flows, totals)
    if industrial is not None and (problem := _from_nowhere(energy, flows, totals, industrial)) is not None:
        yield problem


def _generation(
    energy: str, flows: Mapping[Flow, list[Amount]], totals: Mapping[Flow, Fraction | None]
) -> Iterator[Problem]:
    used, made, out = (totals.get(flow) for flow in (Flow.SELF_USED, Flow.OWN_GENERATION, Flow.EXPORTED))
    if used is None:
        return
    if made is None and out is not None:
        yield Problem(
            flows[Flow.EXPORTED][0].source,
            "export_of_what",
            f"{energy}: exported beside self_used; own_generation says what of",
            "有外供时须填报自发电量",
        )
    if made is not None and used != made - (out or 0):
        yield Problem(
            flows[Flow.SELF_USED][0].source,
            "self_used_differs",
            f"{energy}: self_used {float(used):g} is not own_generation − exported {float(made - (out or 0)):g}",
            "自发自用应等于自发电量减外供",
        )


def _from_nowhere(
    energy: str,
    flows: Mapping[Flow, list[Amount]],
    totals: Mapping[Flow, Fraction | None],
    industrial: Fraction,
) -> Problem | None:
    """Refuse consumption of what was neither bought nor made: self-made energy would be added to its fuel."""
    signs = _supply(flows) | {Flow.CONVERSION_OUTPUT: 1, Flow.RECOVERED: 1}
    given = [flow for flow in signs if flow in flows]
    if not given and energy not in SELF_MADE:
        return None
    supply = sum((sign * (totals.get(flow) or 0) for flow, sign in signs.items()), Fraction(0))
    if industrial <= supply:
        return None
    return Problem(
        flows[Flow.INDUSTRIAL][0].source,
        "from_nowhere",
        f"{energy}: {float(industrial):g} consumed, {float(supply):g} bought, made or recovered",
        "消费量大于购进、产出与回收之和",
    )


def _sum(found: Iterable[Amount]) -> Fraction | None:
    amounts = [one.amount for one in found]
    if any(one is None for one in amounts):
        return None
    return sum((one for one in amounts if one is not None), Fraction(0))


def intensity(tce: Fraction, value_added_10k_cny: Fraction) -> Fraction | None:
    """Return tce per 万元; ``None`` when the value added is not above 0."""
    return tce / value_added_10k_cny if value_added_10k_cny > 0 else None
