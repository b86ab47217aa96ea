"""The load curve that meters replay: one real year, laid over the present by weekday and time of day.

The year's first 52 whole weeks (Monday 2018-01-01 … Sunday 2018-12-30) repeat without end. Monday 2018-01-01 0:00 of
the plant's clock stands for Monday 2025-12-29 0:00 in Asia/Shanghai, so weekdays and times of day agree for ever and
the season moves by 1.25 days a year. 2018-12-31 is not used. Public holidays are those of the plant, not of Shanghai.

Everything is integer arithmetic: within a quarter-hour a counter runs evenly, so a register never goes backwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from math import isqrt
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from edge_agent.contract.errors import Misconfigured

SLOT_MS: Final = 900_000
"""A quarter-hour."""
WEEK_MS: Final = 7 * 96 * SLOT_MS
CYCLE_SLOTS: Final = 52 * 7 * 96
"""Quarter-hours in the 52 weeks that repeat."""
ANCHOR_MS: Final = 1_766_937_600_000
"""Monday 2025-12-29 0:00 Asia/Shanghai: where the first quarter-hour of the data begins."""


@dataclass(frozen=True, slots=True)
class Counter:
    """One quantity of the year, in 0.01 of its unit for each quarter-hour."""

    slots: tuple[int, ...]
    before: tuple[int, ...]
    """Sum of all slots before each; one longer than ``slots``, so that the last is the whole cycle."""

    @classmethod
    def of(cls, slots: list[int]) -> Counter:
        """Build the counter of one cycle; negative amounts would make a register fall and are refused."""
        if len(slots) < CYCLE_SLOTS or min(slots) < 0:
            raise Misconfigured(f"a load curve needs {CYCLE_SLOTS} quarter-hours, none negative; found {len(slots)}")
        cycle = tuple(slots[:CYCLE_SLOTS])
        return cls(cycle, tuple(accumulate(cycle, initial=0)))

    def run(self, moment_ms: int, scale: Fraction) -> int:
        """Return ⌊scale × amount since the anchor⌋ in least digits; never falls as ``moment_ms`` grows."""
        slot, within_ms = divmod(moment_ms, SLOT_MS)
        cycle, index = divmod(slot, CYCLE_SLOTS)
        amount = (cycle * self.before[-1] + self.before[index]) * SLOT_MS + self.slots[index] * within_ms
        return amount * scale.numerator // (scale.denominator * SLOT_MS)


@dataclass(frozen=True, slots=True)
class LoadCurve:
    """Active and reactive energy of the plant; moments are milliseconds since the anchor."""

    active: Counter
    """0.01 kWh."""
    lagging: Counter
    """0.01 kvarh drawn with lagging current."""
    leading: Counter
    """0.01 kvarh with leading current."""

    def closing_slot(self, moment_ms: int) -> int:
        """Return the index of the quarter-hour that ``moment_ms`` lies in or closes: (begin, end]."""
        return ((moment_ms - 1) // SLOT_MS) % CYCLE_SLOTS

    def power_kw(self, moment_ms: int) -> Fraction:
        """Return the mean active power of the quarter-hour that ``moment_ms`` lies in or closes."""
        return Fraction(self.active.slots[self.closing_slot(moment_ms)] * 4, 100)

    def power_factor_permille(self, moment_ms: int) -> int:
        """Return ⌊1000·E/√(E²+Q²)⌋ of that quarter-hour, with Q the sum of lagging and leading; 1000 at standstill."""
        slot = self.closing_slot(moment_ms)
        active = self.active.slots[slot]
        reactive = self.lagging.slots[slot] + self.leading.slots[slot]
        square = active**2 + reactive**2
        return isqrt(1_000_000 * active**2 // square) if square else 1000


def read_curve(path: Path) -> LoadCurve:
    """Read a Parquet file with ``active_ckwh``, ``lagging_ckvarh`` and ``leading_ckvarh``, in time order."""
    names = ["active_ckwh", "lagging_ckvarh", "leading_ckvarh"]
    try:
        table = pq.read_table(path, columns=names)
        columns = [table.column(name).to_pylist() for name in names]
    except (OSError, KeyError, pa.ArrowException) as error:
        raise Misconfigured(f"{path}: not a load curve (不是负荷曲线文件): {error}") from error
    return LoadCurve(*(Counter.of(column) for column in columns))
