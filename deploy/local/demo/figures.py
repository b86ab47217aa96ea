"""The figures of the demo: accounts and indicators as the system computes them, beside what was planted."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from psycopg import Connection

from deploy.local.demo.district import Planted
from deploy.local.demo.profiles import Demo
from deploy.local.demo.report import Energy, Indicator
from edge_agent.contract.errors import Misconfigured
from warehouse import postgres
from warehouse.energy.job import close, last_quarter
from warehouse.registry.load import load_folder, load_reference


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
        return energy, ()


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
