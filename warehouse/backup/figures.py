"""Figures of a database by which a restore is proved: rows and digest of every table, offsets, sums."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from edge_agent.contract.settings import Settings
from warehouse.parquet.catalogue import find
from warehouse.postgres import Connection, statement

_SQL: Final = "warehouse.backup"


class TableFigures(Settings):
    """One table."""

    rows: int
    """How many."""
    digest: str
    """Sum of the hashes of all rows, as text; the order of rows does not matter."""


class Offset(Settings):
    """How far one partition of Kafka is stored."""

    topic: str
    """Topic."""
    topic_id: str
    """Kafka's id of it."""
    partition: int
    """Partition."""
    next_offset: int
    """First record that is not stored."""


class Figures(Settings):
    """All figures of one database at one moment."""

    tables: dict[str, TableFigures]
    """By name."""
    offsets: tuple[Offset, ...]
    """Of Kafka."""
    settled: str
    """Messages that the ledger has as settled."""
    energy_quarters: str
    """Sum of energy.quarter, whatever the units."""
    energy_days: str
    """Sum of energy.day."""


def measure(connection: Connection) -> Figures:
    """Return the figures as the current transaction sees the database; it reads every row of every table."""
    connection.execute(statement("warehouse.parquet", "session.sql"))
    tables = {}
    for relation in find(connection, ["*"]):
        query = statement(_SQL, "figures_table.sql").format(relation=relation.identifier)
        row = connection.execute(query).fetchone()
        assert row is not None  # noqa: S101  # an aggregate gives a row
        tables[relation.name] = TableFigures(rows=row[0], digest=row[1])
    sums = connection.execute(statement(_SQL, "figures_sums.sql")).fetchone()
    assert sums is not None  # noqa: S101
    return Figures(
        tables=tables,
        offsets=tuple(
            Offset(topic=topic, topic_id=topic_id, partition=partition, next_offset=next_offset)
            for topic, topic_id, partition, next_offset in connection.execute(statement(_SQL, "figures_offsets.sql"))
        ),
        settled=sums[0],
        energy_quarters=sums[1],
        energy_days=sums[2],
    )


def differences(wanted: Figures, found: Figures) -> Iterator[str]:
    """Name everything in which ``found`` is not ``wanted``."""
    for name in sorted(wanted.tables.keys() | found.tables.keys()):
        before, after = wanted.tables.get(name), found.tables.get(name)
        if before is None or after is None:
            yield f"{name}: {'is missing' if after is None else 'was not in the backup'}"
        elif before.rows != after.rows:
            yield f"{name}: {before.rows} rows in the backup, {after.rows} here"
        elif before.digest != after.digest:
            yield f"{name}: the same number of rows, other contents"
    if wanted.offsets != found.offsets:
        yield "Kafka's offsets differ"
    for what in ("settled", "energy_quarters", "energy_days"):
        if getattr(wanted, what) != getattr(found, what):
            yield f"{what}: {getattr(wanted, what)} in the backup, {getattr(found, what)} here"
