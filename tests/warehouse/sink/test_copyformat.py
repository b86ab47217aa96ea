"""What is written in binary COPY format is what PostgreSQL reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.sql import SQL

from warehouse.postgres import Connection
from warehouse.sink import copyformat
from warehouse.sink.readings import Columns

rows = st.lists(
    st.tuples(
        st.integers(1, (1 << 31) - 1),
        st.integers(0, (1 << 53) - 1),
        st.integers(0, 110),
        st.integers(-(1 << 63), (1 << 63) - 1),
        st.booleans(),
    ),
    max_size=6,
)

TABLE = SQL("create temp table back (series_id int4, t timestamptz, v {}, q int2, message int8)")


def columns(found: list[tuple[Any, ...]], v: Any) -> Columns:
    missing = np.array([gone for *_, gone in found], np.bool_)
    return Columns(
        np.array([row[0] for row in found], np.int32),
        np.array([row[1] for row in found], np.int64),
        v,
        missing if missing.any() else None,
        np.array([row[2] for row in found], np.int16),
        np.array([row[3] for row in found], np.int64),
    )


@pytest.mark.parametrize("form", ["int8", "float8"])
@pytest.mark.parametrize("at_once", [1, 4, 1_000])
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=rows, data=st.data())
def test_round_trip(
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    at_once: int,
    found: list[tuple[Any, ...]],
    data: st.DataObject,
) -> None:
    monkeypatch.setattr(copyformat, "ROWS_AT_ONCE", at_once)
    value = st.integers(-(1 << 63), (1 << 63) - 1) if form == "int8" else st.floats(allow_nan=False)
    sent = [data.draw(value) for _ in found]
    v = np.array(sent, np.int64 if form == "int8" else np.float64)
    connection.execute("drop table if exists back")
    connection.execute(TABLE.format(SQL(form)))
    with connection.cursor() as cursor, cursor.copy("copy back from stdin (format binary)") as copy:
        for piece in copyformat.file(columns(found, v)):
            copy.write(piece)
    back = connection.execute(
        "select series_id, (extract(epoch from t) * 1000)::int8, q, message, v from back"
    ).fetchall()
    assert back == [(*row[:4], None if row[4] else number) for row, number in zip(found, sent, strict=True)]
