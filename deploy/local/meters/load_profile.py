"""The meters' own record of the past: load profiles, quarter-hour by quarter-hour, as real meters store them.

A load profile is a gzipped CSV with the columns `t,series,value`: UTC ms, `<meter>.<quantity>`, and the value as
decimal text: a register in its least digits, everything else in its unit.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local.meters.curve import SLOT_MS
from deploy.local.meters.meter import Display, Value

COLUMNS: Final = ("t", "series", "value")


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of a load profile."""

    t_ms: int
    series: str
    """``<meter>.<quantity>``."""
    value: Value


def quarter_hours(start_ms: int, end_ms: int) -> range:
    """Return the quarter-hours in ``[start_ms, end_ms)``, UTC ms."""
    return range(-(-start_ms // SLOT_MS) * SLOT_MS, end_ms, SLOT_MS)


def load_profile(display: Display, start_ms: int, end_ms: int) -> Iterator[Entry]:
    """Yield what the meter showed at each quarter-hour in ``[start_ms, end_ms)``, in time order."""
    names = [(cell.quantity, f"{display.meter.name}.{cell.quantity}") for cell in display.meter.cells]
    for t_ms in quarter_hours(start_ms, end_ms):
        for quantity, series in names:
            yield Entry(t_ms, series, display.value(quantity, t_ms))


def write_load_profile(display: Display, start_ms: int, end_ms: int, path: Path) -> int:
    """Write the meter's load profile of ``[start_ms, end_ms)``; return the number of values.

    The same arguments give the same bytes.
    """
    written = 0
    with path.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
        text = io.TextIOWrapper(packed, "utf-8", newline="")
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(COLUMNS)
        for entry in load_profile(display, start_ms, end_ms):
            rows.writerow((entry.t_ms, entry.series, entry.value))
            written += 1
        text.detach()
    return written


def read_load_profile(path: Path) -> Iterator[Entry]:
    """Yield the entries of a file that :func:`write_load_profile` wrote."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            text = row["value"]
            yield Entry(int(row["t"]), row["series"], int(text) if text.lstrip("-").isdigit() else float(text))
