"""One moment of a whole database, and the version of the schema that it has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from edge_agent.contract.errors import Misconfigured
from warehouse.parquet.manifest import Migrated
from warehouse.postgres import Connection, statement


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """Show the database as it was at one moment until the end, whatever is written meanwhile; nothing is written."""
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    try:
        with connection.transaction():
            yield
    finally:
        if not connection.closed:
            connection.isolation_level = None
            connection.read_only = None


def schema_version(connection: Connection) -> tuple[str, tuple[Migrated, ...]]:
    """Return flavour and migrations as the database says: it may be older or newer than this code.

    ``Misconfigured`` when it was never migrated.
    """
    if connection.execute("SELECT to_regclass('warehouse.migration') IS NULL").fetchone() == (True,):
        raise Misconfigured("the database is no warehouse: it was never migrated (数据库尚未初始化)")
    rows = connection.execute(statement("warehouse", "migration_applied.sql")).fetchall()
    migrations = tuple(Migrated(number=number, name=name, sha256=digest) for number, name, _, digest in rows)
    return (str(rows[0][2]) if rows else ""), migrations
