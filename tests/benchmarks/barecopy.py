"""What the sink is measured against: binary COPY of the same rows into the same tables, from bytes built beforehand."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from warehouse import postgres
from warehouse.postgres import statement

CHUNK_ROWS: Final = 100_000
"""Rows in one transaction. Of 20 000, 100 000 and 500 000 this was the fastest or level with it."""

_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER: Final = b"\xff\xff"
_FIELDS: Final = (("series_id", ">i4"), ("t", ">i8"), ("v", ">f8"), ("q", ">i2"), ("message", ">i8"))
_ROW: Final = np.dtype(
    [("fields", ">i2"), *(part for name, form in _FIELDS for part in ((f"{name}_bytes", ">i4"), (name, form)))]
)
"""A row of binary COPY without nulls, as PostgreSQL's documentation of COPY describes it."""


def rows_of(dsn: str, from_seq: int, through_seq: int) -> NDArray[Any]:
    """Return the gauges of messages ``from_seq`` … ``through_seq`` of all gateways in their order of arrival."""
    with postgres.connect(dsn, application="g60 bench") as connection, connection.transaction():
        connection.execute("set local work_mem = '256MB'")
        out = bytearray()
        query = statement("tests.benchmarks", "rows_out.sql")
        with connection.cursor() as cursor, cursor.copy(query, {"first": from_seq, "last": through_seq}) as copy:
            for data in copy:
                out += data
    body = memoryview(out)[len(_HEADER) : -len(_TRAILER)]
    found = np.frombuffer(body, _ROW)
    if not (found["fields"] == len(_FIELDS)).all():
        raise ValueError("the rows are not of the expected form; one of them may have no value")
    return found


def chunks(rows: NDArray[Any], *, in_order: bool) -> list[bytes]:
    """Return ``rows`` as the bytes of one COPY per transaction, each sorted by series and time if ``in_order``."""
    found = []
    for at in range(0, len(rows), CHUNK_ROWS):
        chunk = rows[at : at + CHUNK_ROWS]
        if in_order:
            chunk = chunk[np.lexsort((chunk["t"], chunk["series_id"]))]
        found.append(_HEADER + chunk.tobytes() + _TRAILER)
    return found


def months_of(rows: NDArray[Any]) -> list[str]:
    """Return the months in which the rows lie."""
    since_2000 = np.datetime64("2000-01-01", "us") + rows["t"].astype("int64")
    return [f"{month}-01" for month in np.unique(since_2000.astype("datetime64[M]")).astype(str)]


def copy(dsn: str, pieces: Sequence[bytes], months: Sequence[str]) -> float:
    """Write ``pieces``, each in a transaction, and return how many seconds that took."""
    with postgres.connect(dsn, application="g60 bench copy") as connection:
        connection.execute(statement("warehouse.sink", "month_ensure.sql"), {"months": list(months)})
        command = statement("tests.benchmarks", "copy_in.sql")
        began_mono_s = time.perf_counter()
        for piece in pieces:
            with connection.transaction(), connection.cursor() as cursor, cursor.copy(command) as into:
                into.write(piece)
        return time.perf_counter() - began_mono_s
