"""Any value of any type comes back the same."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.sql import SQL, Identifier

from tests.warehouse.parquet.filling import rows
from warehouse.parquet.catalogue import find
from warehouse.parquet.export import Wanted, export
from warehouse.parquet.load import load
from warehouse.postgres import Connection

_WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12) | st.sampled_from(
    ["", "NULL", "\\N", "\\.", "\n\\.\n", '"', ",", "\r\n", " ", "\\x00", "{}", "松江"]
)
_DIGITS = st.builds(
    lambda digits, places: f"{Decimal(digits).scaleb(-places):f}", st.integers(-(10**40), 10**40), st.integers(0, 30)
) | st.sampled_from(["NaN", "Infinity", "-Infinity", "0.00", "1.50", "0", "9" * 80, "-0." + "0" * 40 + "1", "1e40"])
_MOMENTS = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat) | st.sampled_from(
    [
        "infinity",
        "-infinity",
        "4713-01-01 00:00:00Z BC",
        "0001-01-01 00:00Z",
        "9999-12-31 23:59:59.999999Z",
        "294276-12-31Z",
    ]
)
_DAYS = st.dates().map(str) | st.sampled_from(
    ["infinity", "-infinity", "4713-01-01 BC", "0044-03-15 BC", "5874897-12-31"]
)
_LONGS = st.integers(-(2**63), 2**63 - 1)


def _range(pair: tuple[int | None, int | None]) -> str:
    low, high = pair
    if low is not None and high is not None and low > high:
        low, high = high, low
    return f"[{'' if low is None else low},{'' if high is None else high})"


_RANGES = st.tuples(st.none() | st.integers(-(10**6), 10**6), st.none() | st.integers(-(10**6), 10**6)).map(_range)
_ROW = st.fixed_dictionaries(
    {
        "flag": st.none() | st.booleans(),
        "short": st.none() | st.integers(-(2**15), 2**15 - 1),
        "long": st.none() | _LONGS,
        "single": st.none() | st.floats(width=32),
        "double": st.none() | st.floats(),
        "words": st.none() | _WORDS,
        "list": st.none() | st.lists(st.none() | _WORDS, max_size=3),
        "bytes": st.none() | st.binary(max_size=20),
        "exact": st.none() | _DIGITS,
        "fixed": st.none() | st.decimals(-(10**7), 10**7, places=3).map(str) | st.just("NaN"),
        "at": st.none() | _MOMENTS,
        "day": st.none() | _DAYS,
        "span": st.none() | _RANGES | st.just("empty"),
        "spans": st.none() | st.lists(_RANGES, max_size=3).map(lambda found: "{" + ",".join(found) + "}"),
        "body": st.none() | st.dictionaries(_WORDS, st.none() | st.integers() | _WORDS, max_size=3),
    }
)
_TYPES = {
    "flag": "boolean", "short": "int2", "long": "int8", "single": "float4", "double": "float8", "words": "text",
    "list": "text[]", "bytes": "bytea", "exact": "numeric", "fixed": "numeric(12, 3)", "at": "timestamptz",
    "day": "date", "span": "int8range", "spans": "int8multirange", "body": "jsonb",
}  # fmt: skip


def _made(connection: Connection) -> None:
    connection.execute("DROP SCHEMA IF EXISTS trial CASCADE; CREATE SCHEMA trial")
    columns = SQL(", ").join(SQL("{} {}").format(Identifier(name), SQL(kind)) for name, kind in _TYPES.items())
    connection.execute(SQL("CREATE TABLE trial.value (id int4 PRIMARY KEY, {})").format(columns))
    connection.execute(SQL("CREATE TABLE trial.at (at timestamptz PRIMARY KEY, v int4)"))


def _parameter(name: str, value: Any) -> Any:
    from psycopg.types.json import Jsonb

    return Jsonb(value) if name == "body" and value is not None else value


def test_any_row(connection: Connection) -> None:
    _made(connection)
    put = SQL("INSERT INTO trial.value VALUES (%s, {})").format(
        SQL(", ").join(SQL("%s::{}").format(SQL(kind)) for kind in _TYPES.values())
    )

    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(st.lists(_ROW, max_size=4))
    def comes_back(made: list[dict[str, Any]]) -> None:
        connection.execute("TRUNCATE trial.value")
        for number, row in enumerate(made):
            connection.execute(put, [number, *(_parameter(name, row[name]) for name in _TYPES)])
        _there_and_back(connection, "trial.value")

    comes_back()


def test_any_time_has_a_file(connection: Connection) -> None:
    _made(connection)

    @settings(max_examples=30, suppress_health_check=list(HealthCheck))
    @given(st.sets(_MOMENTS, max_size=5))
    def comes_back(moments: set[str]) -> None:
        connection.execute("TRUNCATE trial.at")
        for moment in moments:
            connection.execute("INSERT INTO trial.at VALUES (%s, 1) ON CONFLICT DO NOTHING", [moment])
        _there_and_back(connection, "trial.at")

    comes_back()


def _there_and_back(connection: Connection, table: str) -> None:
    (relation,) = find(connection, [table])
    before = rows(connection, relation)
    with tempfile.TemporaryDirectory() as folder:
        export(connection, Path(folder), Wanted((table,)), lambda _: None)
        connection.execute(SQL("TRUNCATE {}").format(relation.identifier))
        assert [(one.new, one.refusals) for one in load(connection, Path(folder))] == [(before.total(), ())]
    after = rows(connection, relation)
    assert _comparable(after) == _comparable(before)


def _comparable(found: Any) -> list[str]:
    # NaN is not equal to itself, and 1.5 is 1.500000.
    return sorted(
        repr(
            tuple(
                f"{v:f}".rstrip("0").rstrip(".")
                if hasattr(v, "as_tuple") and v.is_finite() and "." in f"{v:f}"
                else str(v)
                for v in row
            )
        )
        for row in found.elements()
    )
