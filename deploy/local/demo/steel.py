"""The real data under the demo: one year of quarter-hours of a steel plant, from the published CSV to Parquet.

`python -m deploy.local.demo.steel CSV OUT` made `data/steel_2018.parquet`; source and licence: `data/README.md`.

Two traps of the CSV are handled here and nowhere else. It starts with a byte-order mark. The last row of each day is
stamped 0:00 of the *same* date although it closes that day (24:00): every stamp is the end of its quarter-hour.
Energies are kept as integers of 0.01 kWh and 0.01 kvarh, which is their published resolution, so that sums are exact.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from edge_agent.contract.errors import BadRecord

PLANT_ZONE: Final = timezone(timedelta(hours=9), "Asia/Seoul")
"""South Korea, UTC+9; no daylight saving in 2018."""
QUARTER_HOUR: Final = timedelta(minutes=15)
STEEL_PARQUET: Final = Path(__file__).parent / "data" / "steel_2018.parquet"
"""The file that the package carries."""

_SCHEMA: Final = pa.schema(
    [
        pa.field("closes_at", pa.timestamp("ms", tz="Asia/Seoul"), nullable=False),
        pa.field("active_ckwh", pa.int32(), nullable=False),
        pa.field("lagging_ckvarh", pa.int32(), nullable=False),
        pa.field("leading_ckvarh", pa.int32(), nullable=False),
        pa.field("lagging_factor_bp", pa.int32(), nullable=False),
        pa.field("leading_factor_bp", pa.int32(), nullable=False),
        pa.field("co2_ct", pa.int32(), nullable=False),
        pa.field("load_type", pa.dictionary(pa.int8(), pa.string()), nullable=False),
    ],
    metadata={
        "source": "UCI Machine Learning Repository, dataset 851, Steel Industry Energy Consumption",
        "authors": "V. E. Sathishkumar, C. Shin, Y. Cho",
        "licence": "CC BY 4.0",
        "changes": "times moved to the end of their quarter-hour, in UTC; decimals kept as integers of 0.01",
    },
)


@dataclass(frozen=True, slots=True)
class QuarterHour:
    """What the plant drew in the quarter-hour that ends at ``closes_at`` (aware); integers of 0.01."""

    closes_at: datetime
    active_ckwh: int
    lagging_ckvarh: int
    leading_ckvarh: int
    lagging_factor_bp: int
    """Power factor as published, in 0.01 %."""
    leading_factor_bp: int
    co2_ct: int
    """Published emissions, in 0.01 t."""
    load_type: str


def read_csv(path: Path) -> list[QuarterHour]:
    """Return the rows of the published CSV, in its order.

    ``BadRecord`` when a number has more than two decimals, or a time is not one quarter-hour after the row before.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [_parse(row) for row in csv.DictReader(file)]
    for before, after in pairwise(rows):
        if after.closes_at - before.closes_at != QUARTER_HOUR:
            raise BadRecord("gap", f"{after.closes_at} follows {before.closes_at}")
    return rows


def write_parquet(rows: Iterable[QuarterHour], path: Path) -> None:
    """Write ``rows`` as Parquet, compressed with zstd."""
    listed = list(rows)
    columns = {name: [getattr(row, name) for row in listed] for name in _SCHEMA.names}
    table = pa.table(columns, schema=_SCHEMA)
    integers = [name for name in _SCHEMA.names if name != "load_type"]
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=19,
        use_dictionary=["load_type"],
        column_encoding=dict.fromkeys(integers, "DELTA_BINARY_PACKED"),
    )


def read_parquet(path: Path = STEEL_PARQUET) -> list[QuarterHour]:
    """Return the rows of a file that :func:`write_parquet` wrote; times are aware."""
    table = pq.read_table(path, schema=_SCHEMA)
    columns = [table.column(name).to_pylist() for name in _SCHEMA.names]
    return [QuarterHour(*values) for values in zip(*columns, strict=True)]


def _parse(row: dict[str, str]) -> QuarterHour:
    stamped = datetime.strptime(row["date"], "%d/%m/%y %H:%M").replace(tzinfo=PLANT_ZONE)
    closes_at = stamped + timedelta(days=1) if (stamped.hour, stamped.minute) == (0, 0) else stamped
    return QuarterHour(
        closes_at,
        _hundredths(row["Usage_kWh"]),
        _hundredths(row["Lagging_Current_Reactive.Power_kVarh"]),
        _hundredths(row["Leading_Current_Reactive_Power_kVarh"]),
        _hundredths(row["Lagging_Current_Power_Factor"]),
        _hundredths(row["Leading_Current_Power_Factor"]),
        _hundredths(row["CO2(tCO2)"]),
        row["Load_Type"],
    )


def _hundredths(text: str) -> int:
    scaled = Decimal(text) * 100
    if scaled != scaled.to_integral_value():
        raise BadRecord("resolution", f"{text} has more than two decimals")
    return int(scaled)


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    write_parquet(read_csv(source), target)
