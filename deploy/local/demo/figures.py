"""The figures of the demo: accounts and indicators as the system computes them, beside what was planted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Context, Decimal
from pathlib import Path
from typing import Any, Final

from psycopg import Connection

from deploy.local.demo.district import KGCE_PER_KWH, Planted
from deploy.local.demo.profiles import Demo
from deploy.local.demo.report import Energy, Indicator
from edge_agent.contract.errors import Misconfigured
from metrics.entries import load_catalogue
from metrics.run import run
from metrics.show import rounded
from warehouse import postgres
from warehouse.energy.job import close, last_quarter
from warehouse.indicators.results import results
from warehouse.registry.load import load_folder, load_reference

_DIVISION: Final = Context(prec=34)
"""As results are divided: 34 digits."""


def load(dsn: str, district: Path) -> None:
    """Load the reference data and the synthetic district; ``Misconfigured`` names the first refused rows."""
    with postgres.connect(dsn, application="g60-demo") as connection:
        for report in (load_reference(connection), load_folder(connection, district)):
            if report.refused:
                raise Misconfigured("\n".join(str(refusal) for refusal in report.refused[:20]))


def compute(dsn: str, demo: Demo, planted: Planted) -> tuple[tuple[Energy, ...], tuple[Indicator, ...]]:
    """Close the accounts, run the indicators, and return both beside the planted figures."""
    with postgres.connect(dsn, application="g60-demo") as connection:
        close(connection, last_quarter(datetime.now(UTC)))
        energy = tuple(
            _energy(connection, demo, uscc, month, kwh) for (uscc, month), kwh in sorted(planted.energy_kwh.items())
        )
        run(connection, load_catalogue())
        found = {row["indicator"]: row for row in reversed(results(connection))}
    return energy, tuple(_indicator(found[name], *parts) for name, parts in _by_hand(planted).items() if name in found)


def _by_hand(planted: Planted) -> dict[str, tuple[Decimal, Decimal | None, int]]:
    """Return numerator, denominator and factor (100 for a percentage) of each indicator, from what was planted."""
    month = max(month for _, month in planted.energy_kwh)
    energy_tce = sum(kwh for (_, at), kwh in planted.energy_kwh.items() if at == month) * KGCE_PER_KWH / 1000
    value_added = sum(amount for (_, at), amount in planted.value_added.items() if at == month)
    return {
        "smes_on_platform": (Decimal(planted.on_platform), None, 1),
        "digital_transformation_ratio": (Decimal(planted.qualified), Decimal(planted.roster), 100),
        "panel_energy_intensity": (Decimal(energy_tce), Decimal(value_added), 1),
    }


def _indicator(row: Mapping[str, Any], numerator: Decimal, denominator: Decimal | None, factor: int) -> Indicator:
    planted = numerator if denominator is None else _DIVISION.divide(factor * numerator, denominator)
    decimals = row["entry"]["decimals"]
    return Indicator(
        id=row["indicator"],
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        period=row["period"],
        value=_text(row["value"]),
        shown="–" if row["value"] is None else rounded(row["value"], decimals),
        unit=row["unit"],
        numerator=_text(row["numerator"]),
        denominator=_text(row["denominator"]),
        coverage=_text(row["coverage"]),
        status=row["status"],
        status_reason=row["status_reason"] or "",
        status_reason_zh=row["status_reason_zh"] or "",
        rule=row["rule"],
        planted=rounded(planted, decimals),
        # Not the rounded figures: parts and value to the last digit.
        agrees=(row["value"], row["numerator"], row["denominator"]) == (planted, numerator, denominator),
    )


def _text(value: Decimal | None) -> str | None:
    """Return every digit, without zeros at the end of a fraction."""
    if value is None:
        return None
    whole, point, fraction = f"{value:f}".partition(".")
    return whole + (point + fraction).rstrip("0").rstrip(".")


def _energy(connection: Connection, demo: Demo, uscc: str, month: str, planted_kwh: Decimal) -> Energy:
    first = date.fromisoformat(f"{month}-01")
    after = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    with postgres.translated():
        row = connection.execute(
            postgres.statement(__package__, "enterprise_energy.sql"), {"uscc": uscc, "first": first, "after": after}
        ).fetchone()
    name = next(enterprise.name for enterprise in demo.profiles.enterprises if enterprise.uscc == uscc)
    found = None if row is None or row[0] is None else f"{row[0]:,f}"
    return Energy(enterprise=name, month=month, account_kwh=found, planted_kwh=f"{planted_kwh:,f}")
