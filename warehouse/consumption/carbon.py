"""Carbon dioxide of one enterprise and period by profile (domain B4). Pure.

Electricity is what came from the grid: purchased, less what of it was passed on; own generation from no fuel emits
nothing, and its export earns nothing. Natural gas by its calorific value, the one by which the same account makes
standard coal of it: MJ/m³ × 0.0153 tC/GJ × 0.99 × 44/12.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from typing import Final

from warehouse.consumption.account import Account
from warehouse.consumption.deductions import Certificate, self_used
from warehouse.consumption.terms import KJ_PER_KGCE, Amount, Factor, Factors, Flow, Line, Problem

GAS_CARBON_KG_PER_MJ: Final = Fraction(153, 10000)
"""0.0153 tC/GJ."""
GAS_OXIDATION: Final = Fraction(99, 100)
CO2_OF_CARBON: Final = Fraction(44, 12)


class Profile(StrEnum):
    """By which factors."""

    MEE_LOCATION = "mee_location"
    """The grid's average."""
    MEE_MARKET = "mee_market"
    """Certificates at 0, the rest at the national factor without what the market sold as non-fossil."""
    SHANGHAI_ETS = "shanghai_ets"
    """The fixed factors of Shanghai's emissions trading."""


@dataclass(frozen=True, slots=True)
class Carbon:
    """Lines in kgCO2, and what is missing."""

    profile: Profile
    lines: tuple[Line, ...]
    missing: tuple[Problem, ...]

    @property
    def known_t_co2(self) -> Fraction:
        """Sum of the lines that are known, tCO2."""
        return sum((line.kg for line in self.lines if line.kg is not None), Fraction(0)) / 1000

    @property
    def t_co2(self) -> Fraction | None:
        """The sum in tCO2, exact; ``None`` when anything is missing."""
        if self.missing or not self.lines:
            return None
        return self.known_t_co2


def gas_factor(standard_coal: Factor) -> Factor:
    """Return kgCO2/m³ of natural gas from its kgce/m³."""
    mj = standard_coal.value * KJ_PER_KGCE / 1000
    return Factor(
        of_calorific_value(mj),
        "kgCO2/m3",
        standard_coal.level,
        standard_coal.region,
        f"{float(mj):.2f} MJ/m³ × 0.0153 tC/GJ × 0.99 × 44/12; {standard_coal.source}",
        standard_coal.ended,
    )


def of_calorific_value(mj_per_m3: Fraction) -> Fraction:
    """Return kgCO2/m³ of natural gas of a calorific value."""
    return mj_per_m3 * GAS_CARBON_KG_PER_MJ * GAS_OXIDATION * CO2_OF_CARBON


def carbon(
    profile: Profile,
    made: Account,
    amounts: Sequence[Amount],
    coal: Factors,
    carbon_factors: Factors,
    certificates: Iterable[Certificate] = (),
) -> Carbon:
    """Return the carbon of the account ``made`` of ``amounts``.

    ``coal`` are the factors of the account, ``carbon_factors`` those of the profile by kind of energy.
    """
    lines: list[Line] = []
    for line in made.lines:
        if line.energy == "electricity":
            continue
        if line.energy == "natural_gas":
            factor = gas_factor(coal["natural_gas"]) if "natural_gas" in coal else None
        elif line.energy == "steam":
            factor = _of_steam(line, carbon_factors.get("heat"))
        else:
            factor = carbon_factors.get(line.energy)
        lines.append(replace(line, factor=factor))
    lines += _electricity(profile, made, amounts, carbon_factors.get("electricity"), certificates)
    missing = [
        Problem(line.energy, "no_factor", f"no carbon factor for it in profile {profile}", "缺碳排放系数")
        for line in lines
        if line.factor is None
    ]
    missing += [problem for problem in (*made.missing, *made.refused) if problem.code != "no_factor"]
    return Carbon(profile, tuple(lines), tuple(dict.fromkeys(missing)))


def _electricity(
    profile: Profile,
    made: Account,
    amounts: Sequence[Amount],
    factor: Factor | None,
    certificates: Iterable[Certificate],
) -> list[Line]:
    of_electricity = [line for line in made.lines if line.energy == "electricity"]
    if not of_electricity:
        return []
    total = sum((line.sign * line.amount for line in of_electricity if line.amount is not None), Fraction(0))
    own = self_used(amounts) or Fraction(0)
    source = "; ".join(dict.fromkeys(line.source for line in of_electricity))
    grid = max(Fraction(0), total - own)
    # Of a sum no more is known than of its least known part.
    known = min(line.known for line in of_electricity)
    estimated = min(known, max(line.estimated for line in of_electricity))
    lines = []
    if own:
        none = Factor(Fraction(0), "kgCO2/kWh", "rule", "", "own generation from no fuel")
        lines.append(Line("electricity", Flow.SELF_USED, 1, own, "kWh", none, source, known, estimated))
    if profile is Profile.MEE_MARKET:
        for one in {one.number: one for one in certificates}.values():
            if one.own_site and own:
                continue
            part = min(grid, one.mwh * 1000)
            grid -= part
            zero = Factor(Fraction(0), "kgCO2/kWh", "rule", "", "green certificate (绿证)")
            lines.append(Line("electricity", Flow.PURCHASED, 1, part, "kWh", zero, f"certificate {one.number}"))
    lines.append(Line("electricity", Flow.PURCHASED, 1, grid, "kWh", factor, source, known, estimated))
    return lines


def _of_steam(line: Line, heat: Factor | None) -> Factor | None:
    if heat is None or line.factor is None:
        return None
    mj_per_t = line.factor.value * KJ_PER_KGCE / 1000
    return Factor(mj_per_t * heat.value, "kgCO2/t", heat.level, heat.region, heat.source, heat.ended)
