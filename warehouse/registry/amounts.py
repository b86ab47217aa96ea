"""Whether rows on energy agree with what is registered: units, ranges of factors, certificates used once."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import psycopg
from psycopg.rows import TupleRow

from warehouse.postgres import statement
from warehouse.registry.cells import Value
from warehouse.registry.files import Sheet
from warehouse.registry.refusal import Refusal

_PACKAGE: Final = "warehouse.registry"


def wrong(cursor: psycopg.Cursor[TupleRow], sheet: Sheet) -> Iterator[Refusal]:
    """Refuse what contradicts the register; sheets that are not about energy pass."""
    match sheet.table.name:
        case "energy_reports":
            yield from _units(cursor, sheet)
        case "factors":
            yield from _ranges(cursor, sheet)
        case "factor_ranges":
            yield from _outside(cursor, sheet)
        case "certificates":
            yield from _used_elsewhere(cursor, sheet)


def _units(cursor: psycopg.Cursor[TupleRow], sheet: Sheet) -> Iterator[Refusal]:
    pairs = sorted({(str(row["energy"]), str(row["unit"])) for _, row in sheet.rows})
    cursor.execute(
        statement(_PACKAGE, "units_unfit.sql"),
        {"energies": [one[0] for one in pairs], "units": [one[1] for one in pairs]},
    )
    unfit = {(energy, unit): wanted for energy, unit, wanted in cursor.fetchall()}
    for line, row in sheet.rows:
        if (wanted := unfit.get((str(row["energy"]), str(row["unit"])))) is not None:
            yield sheet.refuse(line, "unit", f"{row['unit']} for {row['energy']}", f"a unit like {wanted} (单位不符)")


def _ranges(cursor: psycopg.Cursor[TupleRow], sheet: Sheet) -> Iterator[Refusal]:
    ranges: dict[tuple[Value, ...], tuple[Decimal, Decimal]] = {
        (key, version, energy, basis, unit): (low, high)
        for key, version, energy, basis, low, high, unit in cursor.execute(statement(_PACKAGE, "factor_ranges.sql"))
    }
    for line, row in sheet.rows:
        found = ranges.get(tuple(row[name] for name in ("factor_set", "version", "energy", "basis", "unit")))
        if found is not None and not found[0] <= Decimal(str(row["value"])) <= found[1]:
            allowed = f"{found[0]} … {found[1]}, the range of the standard (超出标准范围)"
            yield sheet.refuse(line, "value", f"{row['value']}", allowed)


def _outside(cursor: psycopg.Cursor[TupleRow], sheet: Sheet) -> Iterator[Refusal]:
    for line, row in sheet.rows:
        cursor.execute(statement(_PACKAGE, "factors_outside.sql"), row)
        for (value,) in cursor.fetchall():
            yield sheet.refuse(
                line, "low", f"{row['low']} … {row['high']}", f"a range with the factor {value} that is registered"
            )


def _used_elsewhere(cursor: psycopg.Cursor[TupleRow], sheet: Sheet) -> Iterator[Refusal]:
    numbers = [str(row["number"]) for _, row in sheet.rows]
    cursor.execute(statement(_PACKAGE, "certificates_used.sql"), {"numbers": numbers})
    users = {number: (uscc, year) for number, uscc, year in cursor.fetchall()}
    for line, row in sheet.rows:
        user = users.get(str(row["number"]))
        if user is not None and user != (row["uscc"], row["used_year"]):
            yield sheet.refuse(
                line,
                "number",
                f"{row['number']}, used by {user[0]} for {user[1]} (重复使用)",
                "each certificate once (每张证书只能使用一次)",
            )
