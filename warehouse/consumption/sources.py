"""What an account is made of, read from the database: kinds, factors, reports, meters, certificates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final

from edge_agent.contract.errors import Misconfigured
from warehouse.consumption.deductions import Certificate
from warehouse.consumption.terms import Amount, Factor, Flow, Kind, Problem, Steam
from warehouse.period import Period, PeriodType
from warehouse.postgres import Connection, statement, translated
from warehouse.times import midnight

_PACKAGE: Final = "warehouse.consumption"
REGIONS: Final = ("310117", "310000", "CN-E", "CN")
"""Songjiang, Shanghai, the East China grid, the country: nearest first."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Of whom, of which period, as known when, and by which factors."""

    uscc: str
    period: Period
    as_of: datetime
    factor_set: str
    version: int
    regions: tuple[str, ...] = REGIONS


@dataclass(frozen=True, slots=True)
class Meter:
    """What one register of one meter says, for one placement."""

    serial: str
    carrier: str
    unit: str
    role: str
    feed_in: bool
    energy: Decimal | None
    known: int
    """Quarter-hours known."""
    estimated: int
    """Of these, estimated."""
    expected: int

    @property
    def source(self) -> str:
        """How people name it."""
        return f"meter {self.serial}{' feed-in (反向)' if self.feed_in else ''}"


def latest_version(connection: Connection, factor_set: str, as_of: datetime) -> int:
    """Return the latest version of a set of factors; ``Misconfigured`` when there is none."""
    with translated():
        found = connection.execute(
            statement(_PACKAGE, "factor_set.sql"), {"factor_set": factor_set, "as_of": as_of}
        ).fetchone()
    if found is None or found[0] is None:
        raise Misconfigured(f"no set of factors {factor_set!r} (没有该系数集): g60 warehouse load --reference")
    return int(found[0])


def kinds(connection: Connection) -> tuple[dict[str, Kind], dict[str, str]]:
    """Return every kind of energy, and the kind that meters of a carrier measure."""
    found: dict[str, Kind] = {}
    by_carrier: dict[str, str] = {}
    with translated():
        for energy, zh, en, unit, medium, carrier in connection.execute(statement(_PACKAGE, "kinds.sql")):
            found[energy] = Kind(energy, zh, en, unit, medium)
            if carrier is not None:
                by_carrier[carrier] = energy
    return found, by_carrier


def factors(
    connection: Connection,
    asked: Asked,
    basis: str,
    energies: Iterable[str],
    *,
    mass: str = "kgce",
    carry: bool = False,
) -> dict[str, Factor]:
    """Return the factor of each of ``energies`` that has one on the last day of the period.

    With ``carry`` one that ended before counts where none holds, and says so.
    """
    with translated():
        rows = connection.execute(
            statement(_PACKAGE, "factors.sql"),
            {
                "factor_set": asked.factor_set,
                "version": asked.version,
                "basis": basis,
                "regions": list(asked.regions),
                "uscc": asked.uscc,
                "day": asked.period.last_day,
                "as_of": asked.as_of,
                "mass": mass,
                "carry": carry,
                "energies": sorted(set(energies)),
            },
        ).fetchall()
    return {
        energy: Factor(Fraction(value), unit, level, region, source, ended)
        for energy, value, unit, level, region, source, ended in rows
    }


def reported(connection: Connection, asked: Asked) -> list[Amount]:
    """Return what the enterprise reported for exactly this period."""
    with translated():
        rows = connection.execute(
            statement(_PACKAGE, "reported.sql"),
            {"uscc": asked.uscc, "period": asked.period.text, "as_of": asked.as_of},
        ).fetchall()
    return [
        Amount(energy, Flow(flow), Fraction(amount), source, _steam(enthalpy, returned))
        for energy, flow, amount, enthalpy, returned, source in rows
    ]


def periods(connection: Connection, asked: Asked) -> list[str]:
    """Return the periods that the enterprise has reported anything for, latest first, at most 12."""
    with translated():
        rows = connection.execute(
            statement(_PACKAGE, "periods.sql"), {"uscc": asked.uscc, "as_of": asked.as_of}
        ).fetchall()
    return [period for (period,) in rows]


def metered(connection: Connection, asked: Asked) -> list[Meter]:
    """Return what the boundary and generation meters of the enterprise say of the period; sub-meters never enter."""
    with translated():
        rows = connection.execute(statement(_PACKAGE, "metered.sql"), _of_time(asked)).fetchall()
    return [Meter(*row) for row in rows]


def nested(connection: Connection, asked: Asked) -> list[Problem]:
    """Return a problem for every boundary meter that stands below another boundary meter of the enterprise."""
    with translated():
        rows = connection.execute(statement(_PACKAGE, "nested.sql"), _of_time(asked)).fetchall()
    return [
        Problem(
            f"meter {below}",
            "counted_twice",
            f"a boundary meter below boundary meter {above}: the same energy twice",
            f"位于边界表{above}之下，重复计量",
        )
        for below, above in rows
    ]


def _of_time(asked: Asked) -> dict[str, object]:
    from_t, to_t = midnight(asked.period.start), midnight(asked.period.end)
    return {"uscc": asked.uscc, "from_t": from_t, "to_t": to_t, "as_of": asked.as_of}


def of_meters(meters: Sequence[Meter], by_carrier: Mapping[str, str], steam: Steam | None) -> list[Amount]:
    """Return the amounts that meters stand for: drawn is purchased, fed back exported, generation one's own."""
    return [
        Amount(
            by_carrier[meter.carrier],
            _flow(meter),
            _signed(meter),
            meter.source,
            steam if meter.carrier == "steam" else None,
            Fraction(min(meter.known, meter.expected), meter.expected) if meter.expected else Fraction(1),
            Fraction(min(meter.estimated, meter.expected), meter.expected) if meter.expected else Fraction(0),
        )
        for meter in meters
    ]


def _flow(meter: Meter) -> Flow:
    if meter.role == "generation":
        return Flow.OWN_GENERATION
    return Flow.EXPORTED if meter.feed_in else Flow.PURCHASED


def _signed(meter: Meter) -> Fraction | None:
    if meter.energy is None:
        return None
    # What a generation meter feeds back is what the plant drew for itself, at night.
    return Fraction(meter.energy) * (-1 if meter.role == "generation" and meter.feed_in else 1)


def steam_reported(connection: Connection, asked: Asked) -> Steam | None:
    """Return the enthalpies that the enterprise reported last; ``None`` for none."""
    with translated():
        found = connection.execute(
            statement(_PACKAGE, "steam.sql"), {"uscc": asked.uscc, "end": asked.period.end, "as_of": asked.as_of}
        ).fetchone()
    return None if found is None else _steam(*found)


def certificates(connection: Connection, asked: Asked) -> list[Certificate]:
    """Return the certificates used for the year of the period: all of a year's, else those generated within it."""
    period = asked.period
    with translated():
        rows = connection.execute(
            statement(_PACKAGE, "certificates.sql"),
            {
                "uscc": asked.uscc,
                "year": period.start.year,
                "whole_year": period.type is PeriodType.YEAR,
                "start": date(period.start.year, period.start.month, 1),
                "last": period.last_day,
                "as_of": asked.as_of,
            },
        ).fetchall()
    return [Certificate(number, Fraction(mwh), cross, own) for number, mwh, cross, own in rows]


def _steam(enthalpy: Decimal | None, returned: Decimal | None) -> Steam | None:
    return None if enthalpy is None or returned is None else Steam(Fraction(enthalpy), Fraction(returned))
