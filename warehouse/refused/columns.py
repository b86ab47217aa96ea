"""Single readings as the columns that the reading tables take; pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np

from edge_agent.contract.birth import Kind
from warehouse.sink.readings import Columns

_ZERO: Final = 0


class Row(NamedTuple):
    """One reading as a row of its table."""

    series_id: int
    t_ms: int
    value: int | float | None
    q: int
    message: int


def columns_of(kind: Kind, rows: Iterable[Row]) -> Columns:
    """Return ``rows`` sorted by series and time; there must be one at least."""
    ordered = sorted(rows, key=lambda row: (row.series_id, row.t_ms))
    missing = np.array([row.value is None for row in ordered])
    values = [_ZERO if row.value is None else row.value for row in ordered]
    return Columns(
        np.array([row.series_id for row in ordered], np.int32),
        np.array([row.t_ms for row in ordered], np.int64),
        # Adding zero turns -0.0 into 0.0, as the sink does, so that equal values are equal bytes.
        np.array(values, np.float64) + 0.0 if kind is Kind.GAUGE else np.array(values, np.int64),
        missing if missing.any() else None,
        np.array([row.q for row in ordered], np.int16),
        np.array([row.message for row in ordered], np.int64),
    )
