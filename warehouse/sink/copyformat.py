"""Columns into PostgreSQL's binary COPY format, without a loop over rows; pure.

Format: "Binary Format" of COPY in PostgreSQL's documentation. Per row a field count, per field its length and its
bytes, big-endian; a null has length -1 and no bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from warehouse.sink.readings import Columns

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER: Final = b"\xff\xff"
COLUMNS: Final = ("series_id", "t", "v", "q", "message")
"""Order of the columns in the buffer."""

ROWS_AT_ONCE: Final = 16_384
"""Rows in one buffer, about 0.9 MB: while PostgreSQL takes in one, the next one is made."""
_EPOCH_MS: Final = 946_684_800_000
"""2000-01-01 UTC, from which PostgreSQL counts microseconds."""


def _row(v: str) -> np.dtype[Any]:
    fields = [("fields", ">i2")]
    for name, form in (("series_id", ">i4"), ("t", ">i8"), ("v", v), ("q", ">i2"), ("message", ">i8")):
        fields += [(f"{name}_length", ">i4"), (name, form)]
    return np.dtype(fields)


_ROWS: Final = {"f": _row(">f8"), "i": _row(">i8")}
_V_LENGTH_AT: Final = _ROWS["f"].fields["v_length"][1]  # type: ignore[index]  # structured dtypes have fields
_V_AT: Final = _ROWS["f"].fields["v"][1]  # type: ignore[index]  # structured dtypes have fields


def file(columns: Columns) -> Iterator[bytes | memoryview]:
    """Give all that COPY expects, piece by piece."""
    yield HEADER
    for first in range(0, len(columns), ROWS_AT_ONCE):
        yield rows(columns.part(first, first + ROWS_AT_ONCE))
    yield TRAILER


def rows(columns: Columns) -> memoryview:
    """Return the rows of ``columns`` in binary COPY format, without :data:`HEADER` and :data:`TRAILER`."""
    form = _ROWS[columns.v.dtype.kind]
    found = np.empty(len(columns), form)
    found["fields"] = len(COLUMNS)
    for name in COLUMNS:
        found[f"{name}_length"] = form[name].itemsize
    found["series_id"] = columns.series_id
    found["t"] = (columns.t_ms - _EPOCH_MS) * 1000
    found["v"] = columns.v
    found["q"] = columns.q
    found["message"] = columns.message
    flat = found.view(np.uint8)
    if columns.missing is not None:
        flat = _without_values(flat.reshape(len(columns), form.itemsize), columns.missing)
    return flat.reshape(-1).data


def _without_values(table: NDArray[np.uint8], missing: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the bytes of ``table`` with the values of ``missing`` rows turned into nulls."""
    table[missing, _V_LENGTH_AT : _V_LENGTH_AT + 4] = 0xFF
    kept = np.ones(table.shape, np.bool_)
    kept[missing, _V_AT : _V_AT + 8] = False
    return table[kept]
