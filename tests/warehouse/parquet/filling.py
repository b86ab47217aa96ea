"""Fills every table of a database with made-up rows of every type, and compares databases row by row."""

from __future__ import annotations

from collections import Counter
from typing import Any

from psycopg.sql import SQL, Identifier

from warehouse.parquet.catalogue import Column, Relation, find
from warehouse.postgres import Connection

ROWS = 12
_VALUES = {
    "bool": "i % 2 = 0",
    "int2": "i",
    "int4": "i * 1000003",
    "int8": "i * 1000000000039",
    "float4": "(i / 3.0)::float4",
    "float8": "CASE i WHEN 4 THEN 'NaN' WHEN 5 THEN '-Infinity' WHEN 7 THEN -0.0 ELSE i / 3.0 END",
    "text": """CASE i WHEN 4 THEN '' WHEN 5 THEN E'a,"b"\\r\\n\\\\.' ELSE '松江 ' || i END""",
    "timestamptz": "timestamptz '2025-01-31 16:00:00Z' + i * interval '20 days 1.000001 second'",
    "date": "date '2025-01-31' + i * 20",
    "bytea": "decode(lpad(to_hex(i), 4, '0') || '0a00ff', 'hex')",
    "jsonb": """jsonb_build_object('a', i, 'b', '["x", null, "é\\n"]'::jsonb)""",
    "_text": "ARRAY['a,' || i, NULL, '\"', '']",
    "int8range": "int8range(i, i + 5)",
    "int8multirange": "int8multirange(int8range(i, i + 2), int8range(i + 7, NULL))",
    "tstzrange": "tstzrange('2025-01-01Z', timestamptz '2025-01-02Z' + i * interval '1 hour')",
    "tstzmultirange": "tstzmultirange(tstzrange('2025-01-01Z', timestamptz '2025-01-02Z' + i * interval '1 hour'))",
    "datemultirange": "datemultirange(daterange('2025-01-01', date '2025-01-02' + i))",
    "daterange": "daterange('2025-01-01', date '2025-01-02' + i)",
    "int4range": "int4range(i, i + 5)",
    "numrange": "numrange(i, i + 0.5)",
    "interval": "i * interval '1 day 3 hours'",
    "time": "time '00:00' + i * interval '1 hour'",
    "timestamp": "timestamp '2025-01-31 16:00:00' + i * interval '20 days 1.000001 second'",
    "name": "'role_' || i",
    "varchar": "'a' || i",
    "uuid": "lpad(to_hex(i), 32, '0')",
    "json": "json_build_object('a', i)",
    "_int2": "ARRAY[i, NULL]",
    "_int4": "ARRAY[i, NULL]",
    "_int8": "ARRAY[i, NULL]",
    "_float8": "ARRAY[i / 3.0, NULL]",
    "_numeric": "ARRAY[i / 3.0, NULL]",
    "_date": "ARRAY[date '2025-01-31' + i]",
    "_timestamptz": "ARRAY[timestamptz '2025-01-31Z' + i * interval '1 day']",
}


def loosen(connection: Connection) -> None:
    """Empty every table and take away what made-up rows cannot keep; unique keys and NOT NULL stay."""
    connection.execute(
        """DO $$ DECLARE k record; BEGIN
          FOR k IN SELECT conrelid::regclass AS of, conname FROM pg_constraint AS c JOIN pg_namespace AS n
              ON n.oid = c.connamespace WHERE contype IN ('c', 'f', 'x') AND conrelid <> 0 AND conislocal
              AND nspname !~ '^(pg_|information)' ORDER BY contype = 'c' LOOP
            EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I', k.of, k.conname);
          END LOOP;
          FOR k IN SELECT contypid::regtype AS of, conname FROM pg_constraint AS c JOIN pg_namespace AS n
              ON n.oid = c.connamespace WHERE contypid <> 0 AND nspname !~ '^(pg_|information)' LOOP
            EXECUTE format('ALTER DOMAIN %s DROP CONSTRAINT %I', k.of, k.conname);
          END LOOP;
        END $$"""
    )
    for relation in find(connection, ["*"]):
        connection.execute(SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(relation.identifier))
        connection.execute(SQL("TRUNCATE {} CASCADE").format(relation.identifier))


def fill(connection: Connection) -> None:
    """Give every table its rows."""
    for month in range(1, 13):
        connection.execute("SELECT ingest.ensure_month(make_date(2025, %s, 1))", [month])
    for relation in find(connection, ["*"]):
        stored = [column for column in relation.columns if not column.computed]
        query = SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM generate_series(1, {}) AS i {}").format(
            relation.identifier,
            SQL(", ").join(Identifier(column.name) for column in stored),
            SQL(", ").join(SQL(_value(connection, relation, column)) for column in stored),
            SQL(str(ROWS)),
            SQL("ON CONFLICT DO NOTHING"),
        )
        assert connection.execute(query).rowcount > 0, relation.name


def _value(connection: Connection, relation: Relation, column: Column) -> str:
    value = _VALUES.get(column.base)
    if column.base == "numeric":
        value = "i * 1.23456789012" if column.scale is None else f"i / 10.0 ^ {column.scale}"
    needed = connection.execute(
        "SELECT attnotnull FROM pg_attribute WHERE attrelid = %s AND attname = %s", [relation.oid, column.name]
    ).fetchone()
    if value is None and needed == (False,):
        return "NULL"
    assert value is not None, f"no made-up values for {column.type}: add some to _VALUES"
    wrapped = f"({value})::{column.type}"
    return wrapped if needed == (True,) or column.name in relation.key else f"CASE WHEN i % 3 > 0 THEN {wrapped} END"


def rows(connection: Connection, relation: Relation) -> Counter[tuple[Any, ...]]:
    """Return every row, numbers as numbers, all else as PostgreSQL's text."""
    shown = SQL(", ").join(
        SQL("r.{}" if column.base == "numeric" else "r.{}::text").format(Identifier(column.name))
        for column in relation.columns
    )
    return Counter(connection.execute(SQL("SELECT {} FROM {} AS r").format(shown, relation.identifier)).fetchall())
