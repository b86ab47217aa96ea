"""Bytes a row: those that were measured once (``measured.csv``, with their sources), or those of a database."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from warehouse.migrate import Flavour
from warehouse.postgres import Connection, statement, translated

_SQL: Final = "warehouse.disk"
TABLES: Final[Mapping[str, str]] = {
    "gauge": "ingest.reading_gauge",
    "register": "ingest.reading_register",
    "quarter": "energy.quarter",
    "hour": "energy.hour",
    "day": "energy.day",
    "month": "energy.month",
    "completeness": "ingest.completeness",
}
"""The table of each kind of row."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes a row by kind: as it is written, and as it is kept after compression (the same where there is none)."""

    fresh: Mapping[str, float]
    kept: Mapping[str, float]
    own: frozenset[str] = frozenset()
    """Kinds whose figures are those of a database."""


def measured(flavour: Flavour) -> Sizes:
    """Return what was measured once."""
    table = _table()
    both = {what: size for (what, where), size in table.items() if where == "any"}
    kept = {what: size for (what, where), size in table.items() if where == flavour}
    fresh = {what: size for (what, where), size in table.items() if where == f"{flavour}_fresh"}
    return Sizes({**both, **kept, **fresh}, {**both, **kept})


def of_database(connection: Connection, flavour: Flavour) -> Sizes:
    """Return what the rows of a database take, as ANALYZE last counted them; measured figures where it has few.

    On TimescaleDB a reading's figure is the mean of what is compressed and what is not yet.
    """
    base = measured(flavour)
    own: dict[str, float] = {}
    with translated():
        for kind, name in TABLES.items():
            row = None
            if flavour is Flavour.TIMESCALE:
                row = connection.execute(statement(_SQL, "own_hypertable.sql"), {"table": name}).fetchone()
            if row is None:
                row = connection.execute(statement(_SQL, "own.sql"), {"table": name}).fetchone()
            if row is not None and row[0] is not None:
                own[kind] = float(row[0])
    return Sizes({**base.fresh, **own}, {**base.kept, **own}, frozenset(own))


@cache
def _table() -> Mapping[tuple[str, str], float]:
    text = resources.files(_SQL).joinpath("measured.csv").read_text("utf-8")
    return {(row["what"], row["flavour"]): float(row["bytes"]) for row in csv.DictReader(text.splitlines())}
