"""Whether virtual meters are sums that can be made: terms of one unit, and none that comes back to its own sum."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import psycopg
from psycopg.rows import TupleRow

from warehouse.energy.virtual import in_order
from warehouse.postgres import statement
from warehouse.registry.files import Sheet
from warehouse.registry.refusal import Refusal


def wrong(cursor: psycopg.Cursor[TupleRow], sheet: Sheet) -> Iterator[Refusal]:
    """Refuse terms that their sum cannot have; unknown meters are somebody else's to refuse."""
    if sheet.table.name != "virtual_meters":
        return
    units: dict[str, str] = {}
    terms: dict[str, set[str]] = defaultdict(set)
    for serial, unit, of_serial in cursor.execute(statement("warehouse.registry", "terms.sql")):
        units[serial] = unit
        terms[serial].update(of_serial)
    for _, row in sheet.rows:
        terms[str(row["serial"])].add(str(row["term"]))
    _, endless = in_order(terms)
    for line, row in sheet.rows:
        serial, term = str(row["serial"]), str(row["term"])
        unit, term_unit = units.get(serial), units.get(term)
        if unit is not None and term_unit is not None and unit != term_unit:
            yield sheet.refuse(line, "term", f"{term} in {term_unit}", f"a meter in {unit} (单位须相同)")
        if serial in endless and term in endless:
            yield sheet.refuse(line, "term", f"{term}, whose own terms come back to {serial}", "no circle (不得循环)")
