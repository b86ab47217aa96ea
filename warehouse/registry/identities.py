"""What rows refer to: areas, platforms, meters, kinds of energy, factor sets, enterprises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import psycopg
from psycopg.rows import TupleRow

from warehouse.postgres import statement
from warehouse.registry.cells import Value
from warehouse.registry.files import Refusal, Sheet

_PACKAGE: Final = "warehouse.registry"
ACCOUNT_UNIT: Final = {
    "electricity": "kWh",
    "natural_gas": "m3",
    "water": "m3",
    "heat": "MJ",
    "steam": "t",
    "compressed_air": "m3",
}
"""Unit of the account of a meter, by carrier."""
_FILE: Final = {"area": "areas.csv", "platform": "platforms.csv", "energy": "energies.csv", "meter": "meters.csv"}


class Identities:
    """Keys that exist, in the database and in the files being loaded."""

    def __init__(self, cursor: psycopg.Cursor[TupleRow]) -> None:
        self._cursor = cursor
        self._fixed: dict[str, dict[str, str | None]] = {what: {} for what in _FILE}
        self._meter_ids: dict[str, int] = {}
        self._sets: set[tuple[Value, Value]] = set()
        self._read()

    def introduce(self, sheet: Sheet) -> list[Refusal]:
        """Add the keys that ``sheet`` brings; refuses an area of another kind, a meter of another carrier."""
        rows = [row for _, row in sheet.rows]
        self._insert("enterprises", {str(row["uscc"]): None for row in rows if row.get("uscc") is not None})
        match sheet.table.file:
            case "areas.csv":
                return self._introduce_fixed(sheet, "area", "area", "kind")
            case "meters.csv":
                return self._introduce_fixed(sheet, "meter", "serial", "carrier")
            case "platforms.csv":
                self._insert("platforms", {str(row["platform"]): None for row in rows})
                self._fixed["platform"] |= {str(row["platform"]): None for row in rows}
            case "energies.csv":
                self._fixed["energy"] |= {str(row["energy"]): None for row in rows}
            case "factor_sets.csv":
                self._sets |= {(row["factor_set"], row["version"]) for row in rows}
        return []

    def unknown(self, sheet: Sheet) -> Iterator[Refusal]:
        """Refuse rows that refer to what does not exist."""
        file = sheet.table.file
        for column in sheet.table.columns:
            if column.refers is None:
                continue
            allowed = f"one in {_FILE[column.refers]}, or registered before"
            for line, row in sheet.rows:
                if (key := row[column.name]) is not None and key not in self._fixed[column.refers]:
                    yield Refusal(file, line, column.name, f"unknown {key!r}", allowed)
        if file == "factors.csv":
            for line, row in sheet.rows:
                if (row["factor_set"], row["version"]) not in self._sets:
                    found = f"unknown {row['factor_set']!r} version {row['version']}"
                    yield Refusal(file, line, "factor_set", found, "one in factor_sets.csv, or registered before")

    def meter_id(self, serial: Value) -> int | None:
        """Return the number of a known meter; ``None`` for none."""
        return None if serial is None else self._meter_ids[str(serial)]

    def _introduce_fixed(self, sheet: Sheet, what: str, key: str, attribute: str) -> list[Refusal]:
        known = self._fixed[what]
        new: dict[str, str | None] = {}
        refused = []
        for line, row in sheet.rows:
            name, found = str(row[key]), str(row[attribute])
            before = known.get(name) or new.setdefault(name, found)
            if before != found:
                refused.append(
                    Refusal(sheet.table.file, line, attribute, f"{found} for {name}", f"{before}, as before")
                )
        self._insert(f"{what}s", new)
        self._read()
        return refused

    def _read(self) -> None:
        for what, key, attribute, number in self._cursor.execute(statement(_PACKAGE, "known_keys.sql")):
            if what == "factor_set":
                self._sets.add((key, number))
                continue
            self._fixed[what][key] = attribute
            if what == "meter":
                self._meter_ids[key] = number

    def _insert(self, what: str, keys: dict[str, str | None]) -> None:
        if not keys:
            return
        attributes = list(keys.values())
        self._cursor.execute(
            statement(_PACKAGE, f"introduce_{what}.sql"),
            {
                "keys": list(keys),
                "attributes": attributes,
                "units": [ACCOUNT_UNIT[str(carrier)] for carrier in attributes] if what == "meters" else None,
            },
        )
