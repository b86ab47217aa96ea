"""Storage: bytes a reading takes compressed, against zstd -19 of the same columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow
from numpy.typing import NDArray
from psycopg.sql import SQL, Identifier

from tests.benchmarks.columns import Kind, columns
from tests.benchmarks.scale import TINY, Scale
from tests.benchmarks.sink import Result, Say
from tests.benchmarks.stage import Stage
from tests.services import machine
from tests.services.plugin import free_ports
from tests.services.timescale import Timescale
from warehouse.migrate import Flavour, migrate
from warehouse.postgres import Connection, connect, statement
from warehouse.sink import copyformat
from warehouse.sink.readings import Columns

KINDS: Final = (Kind("reading_gauge", 240, 10_000, 2 * 8_640), Kind("reading_register", 1_000, 900_000, 28 * 96))
TINY_KINDS: Final = (Kind("reading_gauge", 4, 10_000, 360), Kind("reading_register", 4, 900_000, 96))
_EPOCH_MS: Final = 946_684_800_000


def storage(stage: Stage, scale: Scale, say: Say) -> Result:
    """Two days of 240 gauges and four weeks of 1 000 registers, every stamp with its own delay of up to 50 ms.

    Sizes are those of TimescaleDB in WebAssembly, with indexes and TOAST; they do not depend on the machine.
    """
    (port,) = free_ports(1)
    server = Timescale(stage.folder / "storage", port=port)
    machine.provide(server)
    server.start()
    try:
        with connect(server.dsn, application="g60 bench") as connection:
            migrate(connection, Flavour.TIMESCALE)
            found: dict[str, object] = {}
            for kind in TINY_KINDS if scale is TINY else KINDS:
                name = kind.table.removeprefix("reading_")
                found[name] = _measure(connection, kind)
                say(f"  {name}: {found[name]}")
            return found
    finally:
        server.stop()


def _measure(connection: Connection, kind: Kind) -> dict[str, float]:
    made = columns(kind, jitter=True)
    count = len(made)
    copy_in = SQL("copy {} (series_id, t, v, q, message) from stdin (format binary)").format(
        Identifier("ingest", kind.table)
    )
    with connection.cursor() as cursor, cursor.copy(copy_in) as copy:
        for piece in copyformat.file(made):
            copy.write(piece)
    plain = _bytes(connection, kind)
    connection.execute(statement("tests.benchmarks", "storage_compress.sql"), {"reading": kind.table})
    compressed = _bytes(connection, kind)
    by_column = {name: _zstd(column) / count for name, column in _stored(made)}
    zstd = sum(by_column.values())
    return {
        "readings": count,
        "series": kind.series,
        "plain_bytes": round(plain / count, 2),
        "bytes": round(compressed / count, 2),
        "zstd_bytes": round(zstd, 2),
        "ratio": round(compressed / count / zstd, 2),
    } | {f"zstd_{name}": round(size, 3) for name, size in by_column.items()}


def _bytes(connection: Connection, kind: Kind) -> int:
    row = connection.execute(statement("tests.benchmarks", "storage_bytes.sql"), {"reading": kind.table}).fetchone()
    return 0 if row is None else int(row[0])


def _stored(made: Columns) -> Sequence[tuple[str, NDArray[Any]]]:
    """Give the columns as PostgreSQL holds them, ordered by series and time."""
    micros = (made.t_ms - _EPOCH_MS) * np.int64(1_000)
    named = (("series_id", made.series_id), ("t", micros), ("v", made.v), ("q", made.q), ("message", made.message))
    return [(name, np.ascontiguousarray(column)) for name, column in named]


def _zstd(column: NDArray[Any]) -> int:
    return len(pyarrow.Codec("zstd", compression_level=19).compress(column.tobytes(), asbytes=True))
