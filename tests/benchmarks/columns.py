"""Readings as a district's meters give them, for the size on disk: one real load curve, scaled, shifted and rounded.

Simulated. The curve is the demo's (deploy/local/demo/data); each series takes it up at another place, with another
transformer and another resolution, as `deploy/local/demo/profiles.py` does. Each reading has a delay of its own on the
line, and the gauge a ripple, so that no two series repeat each other and no stamp stands on a full second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from deploy.local.demo.steel import read_parquet
from warehouse.sink.readings import Columns

SERIES_OF_A_GATEWAY: Final = 20
JITTER_MS: Final = 50
"""A reading is stamped up to so much after it was due."""
MESSAGE_MS: Final = 100_000
"""A gateway closes a message after about this time."""
_QUARTER_MS: Final = 900_000
_RIPPLE: Final = 0.008
"""Of the quarter-hour's mean power, as in the demo."""
_MULTIPLIERS: Final = (30, 60, 120, 200, 300, 600, 1_000, 3_000)
_BEGIN_MS: Final = 1_787_184_000_000
"""2026-08-20 00:00 UTC, a multiple of 28 days since 2000-01-03, which is where chunks begin."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One reading table's share."""

    table: str
    series: int
    interval_ms: int
    readings: int
    """Of each series."""


def columns(kind: Kind, *, jitter: bool, seed: int = 60) -> Columns:
    """Return the readings of ``kind`` in the order in which compression keeps them, by series and time.

    A gauge is the power in kW, rounded to 0.1 as transmitters resolve it; a register the energy on the secondary side
    in 0.01 kWh.
    """
    chance = np.random.default_rng(seed)
    energy = np.array([row.active_ckwh for row in read_parquet()], np.float64) / 100
    parts = [_series(kind, number, energy, chance, jitter=jitter) for number in range(kind.series)]
    t_ms, v, message = (np.concatenate([part[at] for part in parts]) for at in range(3))
    return Columns(
        series_id=np.repeat(np.arange(1, kind.series + 1, dtype=np.int32), kind.readings),
        t_ms=t_ms,
        v=v,
        q=np.zeros(len(v), np.int16),
        message=message,
        missing=None,
    )


def _series(
    kind: Kind, number: int, energy: NDArray[np.float64], chance: np.random.Generator, *, jitter: bool
) -> tuple[NDArray[np.int64], NDArray[Any], NDArray[np.int64]]:
    due_ms = _BEGIN_MS + np.arange(kind.readings, dtype=np.int64) * kind.interval_ms
    delay_ms = chance.integers(0, JITTER_MS, kind.readings) if jitter else np.zeros(kind.readings, np.int64)
    t_ms = due_ms + delay_ms
    factor = chance.uniform(0.3, 4.0)
    shift = int(chance.integers(0, 52)) * 672 + int(chance.integers(-4, 5))
    at = (t_ms - _BEGIN_MS) / _QUARTER_MS + shift
    slot = at.astype(np.int64) % len(energy)
    if kind.table == "reading_gauge":
        ripple = 1 + _RIPPLE * chance.uniform(-1, 1, kind.readings)
        v: NDArray[Any] = np.round(energy[slot] * 4 * factor * ripple, 1)
    else:
        multiplier = _MULTIPLIERS[number % len(_MULTIPLIERS)]
        before = np.concatenate([[0.0], np.cumsum(energy)])
        whole, years = before[-1], at.astype(np.int64) // len(energy)
        shown = years * whole + before[slot] + energy[slot] * (at - np.floor(at))
        v = int(chance.integers(1, 10**8)) + np.round(shown * factor / multiplier * 100).astype(np.int64)
    gateway = number // SERIES_OF_A_GATEWAY
    # Messages end a little early or late; all series of a gateway share them.
    lengths = np.random.default_rng(gateway).integers(-1_000, 1_000, int(kind.readings * kind.interval_ms / 99_000) + 2)
    ends_ms = _BEGIN_MS + np.cumsum(MESSAGE_MS + lengths)
    seq = 1 + gateway * 977 + np.searchsorted(ends_ms, t_ms)
    return t_ms, v, ((gateway + 1) << 40) | seq.astype(np.int64)
