"""Indicators: a month of every indicator from an empty result table, for a district of 10 000 enterprises."""

from __future__ import annotations

import statistics
import time
from decimal import Decimal
from typing import Final

from metrics.entries import load_catalogue
from metrics.run import Outcome, run
from tests.benchmarks.scale import Scale
from tests.benchmarks.sink import Result, Say
from tests.benchmarks.stage import Stage
from tests.metrics.planted import ROSTER, District
from warehouse.postgres import Connection, statement
from warehouse.registry.load import load_folder, load_reference

PERIOD: Final = "2025-12"
FEWEST: Final = 3_300
"""Enterprises that the planted district needs at least."""
RETURN_MONTHS: Final = 24
CONNECTED: Final = 200
DAYS: Final = 90


def indicators(stage: Stage, scale: Scale, say: Say) -> Result:
    """Compute all indicators of the month, then again: nothing differs, so that nothing is added.

    Besides the registers there are two years of monthly returns of each enterprise above scale, and 90 counted days of
    20 series of each of 200 connected enterprises. ``month_s`` is the median of runs from an empty result table.
    """
    catalogue = load_catalogue()
    district = District(max(scale.enterprises, FEWEST))
    first, again = [], []
    outcomes: list[Outcome] = []
    members = 0
    for number in range(scale.rounds):
        with stage.place() as place, place.database() as connection:
            load_reference(connection)
            district.write(place.folder / "district")
            report = load_folder(connection, place.folder / "district")
            if report.refused:
                raise RuntimeError(f"refused {len(report.refused)}: {report.refused[:3]}")
            _fill(connection, scale)
            began_mono_s = time.monotonic()
            outcomes = run(connection, catalogue, period=PERIOD)
            first.append(time.monotonic() - began_mono_s)
            began_mono_s = time.monotonic()
            repeated = run(connection, catalogue, period=PERIOD)
            again.append(time.monotonic() - began_mono_s)
            if any(outcome.stored is not None and outcome.stored.added for outcome in repeated):
                raise RuntimeError("a second run added versions although nothing had changed")
            (members,) = connection.execute("SELECT count(*) FROM indicator.evidence").fetchone() or (0,)
        say(f"  {number + 1}: {first[-1]:.2f} s, again {again[-1]:.2f} s")
    if scale.enterprises >= 10_000:
        _judge(district, outcomes)
    drafts = [outcome.draft for outcome in outcomes if outcome.draft is not None]
    return {
        "enterprises": district.enterprises,
        "month_s": statistics.median(first),
        "again_s": statistics.median(again),
        "indicators": len(drafts),
        "with_value": sum(draft.content.value is not None for draft in drafts),
        "members": members,
    }


def _fill(connection: Connection, scale: Scale) -> None:
    share = min(1.0, scale.enterprises / 10_000)
    connection.execute(
        statement("tests.benchmarks", "returns.sql"), {"enterprises": int(ROSTER * share), "months": RETURN_MONTHS}
    )
    connection.execute(
        statement("tests.benchmarks", "counted_days.sql"), {"enterprises": int(CONNECTED * share) or 1, "days": DAYS}
    )
    connection.execute("ANALYZE")


def _judge(district: District, outcomes: list[Outcome]) -> None:
    found = {outcome.indicator: outcome.draft.content.value for outcome in outcomes if outcome.draft is not None}
    for name, answer in district.answers.items():
        value = found[name]
        if value is None or abs(value - answer.value) > Decimal("1e-20"):
            raise RuntimeError(f"{name} came to {value}, planted {answer.value}")
