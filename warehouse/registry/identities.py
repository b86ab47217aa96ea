"""What rows refer to: areas, clusters, platforms, meters, contracts, tariffs, energy, factors, variables, firms."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

import psycopg
from psycopg.rows import TupleRow

from warehouse.postgres import statement
from warehouse.registry.cells import Value
from warehouse.registry.files import Sheet
from warehouse.registry.refusal import Refusal

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
_TABLE: Final = {
    "area": "areas",
    "cluster": "clusters",
    "contract": "supply_contracts",
    "energy": "energies",
    "meter": "meters",
    "platform": "platforms",
    "tariff": "tariffs",
    "variable": "variables",
}
"""Where each kind of key is introduced."""
_FIXED: Final = {"area": ("area", "kind"), "meter": ("serial", "carrier"), "contract": ("contract", "carrier")}
"""Keys that have an attribute which never changes: columns of key and attribute."""


class Identities:
    """Keys that exist, in the database and in the files being loaded."""

    def __init__(self, cursor: psycopg.Cursor[TupleRow]) -> None:
        self._cursor = cursor
        self._fixed: dict[str, dict[str, str | None]] = {what: {} for what in _TABLE}
        self._meter_ids: dict[str, int] = {}
        self._sets: set[tuple[Value, Value]] = set()
        self._read()

    def introduce(self, sheet: Sheet) -> list[Refusal]:
        """Add the keys that ``sheet`` brings; refuses an area of another kind, a meter of another carrier."""
        rows = [row for _, row in sheet.rows]
        self._insert("enterprises", {str(row["uscc"]): None for row in rows if row.get("uscc") is not None})
        if sheet.table.name == "factor_sets":
            self._sets |= {(row["factor_set"], row["version"]) for row in rows}
        what = next((what for what, table in _TABLE.items() if table == sheet.table.name), None)
        if what in _FIXED:
            return self._introduce_fixed(sheet, what, *_FIXED[what])
        if what is not None:
            keys: dict[str, str | None] = {str(row[what]): None for row in rows}
            if what not in ("energy", "variable"):
                self._insert(f"{what}s", keys)
            self._fixed[what] |= keys
        return []

    def unknown(self, sheet: Sheet) -> Iterator[Refusal]:
        """Refuse rows that refer to what does not exist."""
        for column in sheet.table.columns:
            if column.refers is None:
                continue
            allowed = f"one in {_TABLE[column.refers]}, or registered before (须已登记)"
            for line, row in sheet.rows:
                if (key := row[column.name]) is not None and key not in self._fixed[column.refers]:
                    near = get_close_matches(str(key), self._fixed[column.refers], 3)
                    like = f"; near to it: {', '.join(near)} (相近)" if near else ""
                    yield sheet.refuse(line, column.name, f"unknown {key!r} (未登记)", allowed + like)
        if sheet.table.name in ("factors", "factor_ranges"):
            for line, row in sheet.rows:
                if (row["factor_set"], row["version"]) not in self._sets:
                    found = f"unknown {row['factor_set']!r} version {row['version']}"
                    yield sheet.refuse(line, "factor_set", found, "one in factor_sets, or registered before (须已登记)")

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
                    sheet.refuse(line, attribute, f"{found} for {name}", f"{before}, as before (与已登记的不一致)")
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
