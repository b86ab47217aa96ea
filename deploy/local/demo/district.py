"""The synthetic district as a folder that the registry loads (合成数据), and what its indicators must come to."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from deploy.local.demo import district_rows
from deploy.local.demo.district_rows import Row
from deploy.local.demo.population import (
    CONNECTED_IN,
    OTHERS,
    ROSTER,
    ROSTER_LARGE_ON_PLATFORM,
    ROSTER_ON_PLATFORM,
    ROSTER_SIZE,
    Assessed,
    Firm,
    OnPlatform,
    firms,
)
from deploy.local.demo.profiles import SHANGHAI, Demo
from warehouse.registry.tables import TABLES

KGCE_PER_KWH: Final = Decimal("0.1229")
"""Electricity at its 当量值; here it only gives the value added a plausible size."""
_WOBBLE_PERCENT: Final = (96, 88, 103, 101, 100, 104, 98, 97, 102, 105, 103, 107)
"""Value added by month, against what a constant energy intensity would give."""


@dataclass(frozen=True, slots=True)
class Planted:
    """What was put into the district, by construction; indicators must find exactly this."""

    enterprises: int
    """Enterprises in all."""
    roster: int
    """规上 industrial enterprises: the denominator of the transformation ratio."""
    qualified: int
    """Of the roster, those with a qualifying result by the default rule: its numerator."""
    assessed: int
    """Of the roster, those with any valid result."""
    stale: int
    """Of the qualified, results older than 24 months at the end of 2025."""
    by_assessment: dict[str, int]
    """The roster by kind of assessment."""
    on_platform: int
    """SMEs counted on platforms by 2025-12-31 (platform-attested)."""
    on_platform_by_year: dict[int, int]
    """The same by the year of the first connection."""
    not_counted: dict[str, int]
    """Enterprises on platforms that are not counted, by their one reason."""
    value_added: dict[tuple[str, str], Decimal]
    """万元 by (uscc, month as 2026-10) of the demo's own enterprises."""
    energy_kwh: dict[tuple[str, str], Decimal]
    """Energy through the boundary meters in the same months, exactly as the registers count it."""


def write_district(folder: Path, demo: Demo) -> Planted:
    """Write the district's CSV files into ``folder``, which is made; return what was planted.

    The same ``demo`` gives the same bytes. Load it after the registry's own reference data.
    """
    folder.mkdir(parents=True, exist_ok=True)
    population = _population(demo)
    energy = _monthly_energy(demo)
    value_added = {key: _value_added(demo, *key, kwh) for key, kwh in energy.items()}
    start = datetime.fromtimestamp(demo.start_ms / 1000, UTC).astimezone(SHANGHAI)
    today = datetime.fromtimestamp(demo.now_ms / 1000, UTC).astimezone(SHANGHAI).date()
    rows = district_rows.of_population(population, today)
    rows |= district_rows.of_enterprises(demo.profiles.enterprises, start)
    rows["observations.csv"] = district_rows.of_value_added(value_added, today)
    for file, lines in rows.items():
        _write(folder / file, lines)
    return Planted(
        enterprises=len(population),
        roster=ROSTER_SIZE,
        qualified=sum(count for kind, count in ROSTER.items() if kind.qualifies),
        assessed=ROSTER_SIZE - ROSTER[Assessed.NOT] - ROSTER[Assessed.WITHDRAWN],
        stale=ROSTER[Assessed.STALE],
        by_assessment={str(kind): count for kind, count in ROSTER.items()},
        on_platform=ROSTER_ON_PLATFORM + OTHERS[OnPlatform.COUNTED],
        on_platform_by_year=dict(CONNECTED_IN),
        not_counted={str(OnPlatform.LARGE): ROSTER_LARGE_ON_PLATFORM}
        | {str(kind): count for kind, count in OTHERS.items() if kind is not OnPlatform.COUNTED},
        value_added=value_added,
        energy_kwh=energy,
    )


def _population(demo: Demo) -> list[Firm]:
    """Return all enterprises; the demo's own carry their names and places."""
    own = {enterprise.uscc: enterprise for enterprise in demo.profiles.enterprises}
    return [
        firm
        if (named := own.get(firm.uscc)) is None
        else replace(firm, name=named.name, sector=named.sector, size=named.size, town=named.town, park=named.park)
        for firm in firms(tuple(own))
    ]


def _monthly_energy(demo: Demo) -> dict[tuple[str, str], Decimal]:
    """Return kWh by (uscc, month) for the months that lie whole in the demo's past."""
    return {
        (enterprise.uscc, f"{month:%Y-%m}"): demo.expected_account_kwh(enterprise.uscc, *bounds)
        for month, bounds in _whole_months(demo)
        for enterprise in demo.profiles.enterprises
    }


def _whole_months(demo: Demo) -> Iterable[tuple[datetime, tuple[int, int]]]:
    start = datetime.fromtimestamp(demo.start_ms / 1000, UTC).astimezone(SHANGHAI)
    month = start.replace(day=1)
    while True:
        after = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
        bounds = (int(month.timestamp()) * 1000, int(after.timestamp()) * 1000)
        if bounds[1] > demo.now_ms:
            return
        if bounds[0] >= demo.start_ms:
            yield month, bounds
        month = after


def _value_added(demo: Demo, uscc: str, month: str, kwh: Decimal) -> Decimal:
    """Return 万元, with one decimal."""
    intensity = next(one.kgce_per_10k_cny for one in demo.profiles.enterprises if one.uscc == uscc)
    return (kwh * KGCE_PER_KWH / intensity * _WOBBLE_PERCENT[int(month[5:]) - 1] / 100).quantize(Decimal("0.1"))


def _write(path: Path, rows: Iterable[Row]) -> None:
    columns = next(table.columns for table in TABLES if table.file == path.name)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [column.name for column in columns], restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
