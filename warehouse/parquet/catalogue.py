"""What can be exported: the tables and views of the project's schemas, their columns, keys and times."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import Final

from psycopg.sql import Identifier

from edge_agent.contract.errors import Misconfigured
from warehouse.postgres import Connection, statement

_SQL: Final = "warehouse.parquet"
_TIMES: Final = frozenset({"timestamptz", "date"})
ITS_OWN: Final = frozenset({"warehouse.migration"})
"""What belongs to the database itself: no pattern takes it, and no import brings it."""
_FACT: Final = "valid_from"
"""A dated fact is no event: tables of such are small, and one file each."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column; ``base`` is PostgreSQL's name of its type, below any domain."""

    name: str
    type: str
    base: str
    precision: int | None
    scale: int | None
    computed: bool
    identity: bool
    comment: str


@dataclass(frozen=True, slots=True)
class Relation:
    """One table or view; its files are months of ``time``, ``key`` tells its rows apart and may be empty."""

    oid: int
    schema: str
    table: str
    kind: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    key_may_be_null: bool
    time: Column | None

    @property
    def name(self) -> str:
        """Schema and name."""
        return f"{self.schema}.{self.table}"

    @property
    def identifier(self) -> Identifier:
        """The name, for SQL."""
        return Identifier(self.schema, self.table)

    @property
    def is_view(self) -> bool:
        """Whether nothing can be written to it."""
        return self.kind in ("v", "m")


def find(connection: Connection, patterns: Sequence[str]) -> tuple[Relation, ...]:
    """Return what ``patterns`` name, by name: ``registry.meter``, or tables by ``energy.*`` or ``*``.

    A pattern takes tables only; a view is named in full. ``Misconfigured`` when one of them names nothing.
    """
    known = connection.execute(statement(_SQL, "relations.sql")).fetchall()
    chosen: dict[str, tuple[int, str, str, str]] = {}
    for pattern in patterns:
        found = [
            (int(oid), str(schema), str(table), str(kind))
            for oid, schema, table, kind in known
            if f"{schema}.{table}" == pattern
            or (kind in ("r", "p") and f"{schema}.{table}" not in ITS_OWN and fnmatchcase(f"{schema}.{table}", pattern))
        ]
        if not found:
            raise Misconfigured(f"no table or view is called {pattern} (没有这个表或视图)")
        chosen |= {f"{schema}.{table}": (oid, schema, table, kind) for oid, schema, table, kind in found}
    return tuple(_read(connection, *chosen[name]) for name in sorted(chosen))


def by_reference(connection: Connection, relations: Sequence[Relation]) -> tuple[Relation, ...]:
    """Return ``relations`` in such an order that a table comes after those that it refers to."""
    needs: dict[int, set[int]] = {}
    for referring, referred in connection.execute(statement(_SQL, "references.sql")).fetchall():
        needs.setdefault(referring, set()).add(referred)
    left = {relation.oid: relation for relation in relations}
    ordered: list[Relation] = []
    while left:
        ready = [oid for oid in left if not needs.get(oid, set()) & (left.keys() - {oid})] or list(left)
        ordered.extend(left.pop(oid) for oid in ready)
    return tuple(ordered)


def sequences(connection: Connection) -> Mapping[str, int | None]:
    """Return where each sequence stands; ``None`` where it was never asked."""
    return dict(connection.execute(statement(_SQL, "sequences.sql")).fetchall())


def _read(connection: Connection, oid: int, schema: str, table: str, kind: str) -> Relation:
    columns = tuple(Column(*row) for row in connection.execute(statement(_SQL, "columns.sql"), {"oid": oid}))
    row = connection.execute(statement(_SQL, "key.sql"), {"oid": oid}).fetchone()
    key, may_be_null, primary = row or ((), False, False)
    return Relation(
        oid,
        schema,
        table,
        kind,
        columns,
        tuple(key),
        bool(may_be_null),
        _time(f"{schema}.{table}", columns, key if primary else ()),
    )


def _time(name: str, columns: Sequence[Column], primary: Sequence[str]) -> Column | None:
    if name in _named():
        return next((column for column in columns if column.name == _named()[name]), None)
    found = [column for column in columns if column.name in primary and column.base in _TIMES]
    return found[0] if len(found) == 1 and found[0].name != _FACT else None


@cache
def _named() -> Mapping[str, str]:
    text = resources.files(_SQL).joinpath("times.csv").read_text("utf-8")
    return {row["relation"]: row["column"] for row in csv.DictReader(text.splitlines())}
