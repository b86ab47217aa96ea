"""The account of one enterprise and period, from its meters or its reports, with what stands beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction

from warehouse.consumption import sources
from warehouse.consumption.account import Account, account
from warehouse.consumption.carbon import Carbon, Profile, carbon
from warehouse.consumption.deductions import Certificate, Deduction, Rule, deduct
from warehouse.consumption.sources import Asked
from warehouse.consumption.terms import Amount, Basis, Factors, Flow, Kind, Rules
from warehouse.period import Period
from warehouse.postgres import Connection


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for beside the account."""

    rules: Rules = field(default_factory=Rules)
    deduction: Rule = Rule.NONE
    required_saving_tce: Fraction | None = None
    profile: Profile | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """Metered and reported amount of one kind of energy."""

    energy: str
    metered: Fraction | None
    reported: Fraction | None

    @property
    def deviation(self) -> Fraction | None:
        """(metered − reported) / reported; ``None`` when one is unknown or nothing was reported."""
        if self.metered is None or not self.reported:
            return None
        return (self.metered - self.reported) / self.reported


@dataclass(frozen=True, slots=True)
class Found:
    """An account with its premises and what stands beside it."""

    asked: Asked
    reported: bool
    rules: Rules
    kinds: Mapping[str, Kind]
    account: Account
    deduction: Deduction
    carbon: Carbon | None
    beside: tuple[Beside, ...]
    unmetered: tuple[str, ...]
    """Kinds of energy that were reported for the period and have no boundary meter."""
    covered: Fraction | None
    """Share of what was reported, in standard coal, whose kinds have meters; ``None`` when that is unknown."""
    reported_periods: tuple[str, ...]
    """The latest periods that the enterprise reported for."""


def find(
    connection: Connection,
    uscc: str,
    period: Period,
    wanted: Wanted,
    *,
    factor_set: str,
    as_of: datetime,
    version: int | None = None,
    reported: bool = False,
) -> Found:
    """Return the account of an enterprise and period as known at ``as_of``.

    From its boundary meters, or, with ``reported``, from what it reported for exactly this period; both stand beside
    each other by kind of energy. Without ``version`` the latest of the set. ``Misconfigured`` when there is none.
    """
    if version is None:
        version = sources.latest_version(connection, factor_set, as_of)
    asked = Asked(uscc, period, as_of, factor_set, version)
    kinds, by_carrier = sources.kinds(connection)
    told = sources.reported(connection, asked)
    steam = next((one.steam for one in told if one.steam is not None), None) or sources.steam_reported(
        connection, asked
    )
    measured = sources.of_meters(sources.metered(connection, asked), by_carrier, steam)
    amounts = told if reported else measured
    energies = {one.energy for one in (*told, *measured)} | {"electricity"}
    coal = sources.factors(connection, asked, wanted.rules.basis.value, energies)
    if wanted.rules.basis is not Basis.CALORIFIC:
        # Only electricity has an 等价值 of its own; everything else is what its heat makes of it.
        coal = sources.factors(connection, asked, Basis.CALORIFIC.value, energies - {"electricity"}) | coal
    made = account(amounts, kinds, coal, wanted.rules)
    if not reported:
        made = replace(made, refused=(*made.refused, *sources.nested(connection, asked)))
    held: list[Certificate] = sources.certificates(connection, asked)
    return Found(
        asked,
        reported,
        wanted.rules,
        kinds,
        made,
        deduct(wanted.deduction, made, amounts, coal, held, wanted.required_saving_tce),
        None if wanted.profile is None else _carbon(connection, asked, wanted.profile, made, amounts, coal, held),
        _beside(measured, told, kinds, coal, wanted.rules),
        *_coverage(measured, made if reported else account(told, kinds, coal, wanted.rules)),
        tuple(sources.periods(connection, asked)),
    )


def _coverage(measured: list[Amount], of_reports: Account) -> tuple[tuple[str, ...], Fraction | None]:
    metered = {one.energy for one in measured}
    unmetered = sorted({line.energy for line in of_reports.lines} - metered)
    tce = of_reports.tce
    if not tce:
        return tuple(unmetered), None
    kg = sum((line.kg for line in of_reports.lines if line.energy in metered and line.kg is not None), Fraction(0))
    return tuple(unmetered), kg / 1000 / tce


def _carbon(
    connection: Connection,
    asked: Asked,
    profile: Profile,
    made: Account,
    amounts: list[Amount],
    coal: Factors,
    held: list[Certificate],
) -> Carbon:
    energies = {one.energy for one in amounts} | {"heat"}
    # The grid's factors are published years later: the latest published counts, and the line says of when it is.
    found = sources.factors(connection, asked, "physical", energies, mass="kgCO2")
    found |= sources.factors(connection, asked, profile.value, energies, mass="kgCO2", carry=True)
    return carbon(profile, made, amounts, coal, found, held)


def _beside(
    measured: list[Amount], told: list[Amount], kinds: Mapping[str, Kind], coal: Factors, rules: Rules
) -> tuple[Beside, ...]:
    energies = sorted({one.energy for one in (*measured, *told)})
    everything = replace(rules, include_working_media=True)
    return tuple(
        Beside(energy, *(_net(amounts, energy, kinds, coal, everything) for amounts in (measured, told)))
        for energy in energies
    )


def _net(amounts: list[Amount], energy: str, kinds: Mapping[str, Kind], coal: Factors, rules: Rules) -> Fraction | None:
    """Return the amount of one kind of energy that enters an account, in its unit; ``None`` when it is unknown."""
    # Output of conversion and what was recovered is no part of what meters see of this kind alone.
    of_it = [
        one for one in amounts if one.energy == energy and one.flow not in (Flow.CONVERSION_OUTPUT, Flow.RECOVERED)
    ]
    lines = account(of_it, kinds, coal, rules).lines
    if not lines or any(line.amount is None or line.known < 1 for line in lines):
        return None
    return sum((line.sign * line.amount for line in lines if line.amount is not None), Fraction(0))
