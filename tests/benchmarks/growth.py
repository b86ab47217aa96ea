"""The sink with 1, 4 and 16 times as much: series of a gateway, gateways, and rows that are there already."""

from __future__ import annotations

import statistics
from contextlib import closing
from datetime import UTC, datetime

from tests.benchmarks.fleet import SERIES_A_MESSAGE
from tests.benchmarks.prefill import Filling, Load, load
from tests.benchmarks.scale import Scale
from tests.benchmarks.sink import Result, Say, admit, read_to_the_end
from tests.benchmarks.stage import Place, Stage
from warehouse.postgres import statement

POINTS = 10
_AT_ONCE = 1_000_000
_DAY_MS = 86_400_000


def growth(stage: Stage, scale: Scale, say: Say) -> Result:
    """One dimension at a time, the other two at 1×; rows per second by factor."""
    first = scale.growth_factors[0]
    found: dict[str, dict[str, int]] = {name: {} for name in ("series", "gateways", "table_rows")}
    for name, rates in found.items():
        for factor in scale.growth_factors:
            if factor == first and name != "series":  # the same for all three
                rates[str(factor)] = found["series"][str(factor)]
            else:
                rates[str(factor)] = round(_rate(stage, scale, **{name: factor}))
                say(f"{name} {factor}×: {rates[str(factor)]:,} rows/s")
    return {
        **found,
        "units": {
            "series": scale.growth_gateways * SERIES_A_MESSAGE,
            "gateways": scale.growth_gateways,
            "table_rows": scale.growth_table_rows,
        },
        "rows_a_round": scale.growth_rows,
        "rounds": scale.growth_rounds,
    }


def _rate(stage: Stage, scale: Scale, series: int = 1, gateways: int = 1, table_rows: int = 1) -> float:
    rows = scale.growth_rows
    work = load(
        scale.growth_gateways * gateways, POINTS, SERIES_A_MESSAGE * series, rows=(scale.growth_rounds + 1) * rows
    )
    messages = max(1, rows // (len(work.gateways) * work.readings))
    with stage.place() as place, closing(Filling(stage.kafka.bootstrap)) as filling:
        admit(place, filling, work)
        _stand(place, work, scale.growth_table_rows * table_rows)
        rates = []
        for number in range(scale.growth_rounds):
            filling.telemetry(work.messages(1 + number * messages, messages))
            rates.append(read_to_the_end(place, messages * len(work.gateways) * work.readings).rows_per_s)
    return statistics.median(rates)


def _stand(place: Place, work: Load, rows: int) -> None:
    """Have ``rows`` stand in the table, older than what will come."""
    series = len(work.gateways) * len(work.templates) * SERIES_A_MESSAGE
    each, at_once = max(1, rows // series), max(1, _AT_ONCE // series)
    days_ms = range(work.begin_ms - each * 1_000, work.begin_ms + _DAY_MS, _DAY_MS)
    months = {f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m}-01" for ms in days_ms}
    with place.database() as connection:
        connection.execute(statement("warehouse.sink", "month_ensure.sql"), {"months": sorted(months)})
        for last in range(each, 0, -at_once):
            connection.execute(
                statement("tests.benchmarks", "history.sql"),
                {"before_ms": work.begin_ms, "first": max(1, last - at_once + 1), "last": last},
            )
