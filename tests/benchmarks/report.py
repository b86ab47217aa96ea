"""What was measured against what design §8 asks for: a table for people, JSON for machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Goal:
    """One number to reach; ``key`` is its path in the report, with dots."""

    key: str
    at_least: float | None = None
    at_most: float | None = None
    below: float | None = None

    def reached(self, found: float) -> bool:
        """Return whether ``found`` is good enough."""
        return not (
            (self.at_least is not None and found < self.at_least)
            or (self.at_most is not None and found > self.at_most)
            or (self.below is not None and found >= self.below)
        )

    def __str__(self) -> str:
        if self.at_least is not None:
            return f"≥ {self.at_least:,g}"
        return f"≤ {self.at_most:,g}" if self.at_most is not None else f"< {self.below:,g}"


GOALS: Final = (
    Goal("sink.rows_per_s", at_least=300_000),
    Goal("sink.ratio", at_least=0.75),
    Goal("end_to_end.readings_per_s", at_least=150_000),
    Goal("end_to_end.missing", at_most=0),
    Goal("end_to_end_20.readings_per_s", at_least=50_000),
    Goal("end_to_end_20.missing", at_most=0),
    Goal("end_to_end_20.p99_ms", below=1_000),
    Goal("district.connected", at_least=10_000),
    Goal("district.readings_per_s", at_least=20_000),
    Goal("district.missing", at_most=0),
    Goal("district.reconnect.p99_ms", below=5_000),
    Goal("catch_up.times_arriving", at_least=5),
    Goal("accounts.meter_year.ms", below=50),
    Goal("accounts.parks_month.ms", below=200),
    Goal("accounts.own_month.ms", below=100),
    Goal("accounts.own_year.p95_ms", below=100),
    Goal("registers.csv_s", below=10),
    Goal("registers.xlsx_s", below=10),
    Goal("storage.gauge.ratio", at_most=1.3),
    Goal("storage.register.ratio", at_most=1.3),
    Goal("indicators.month_s", below=10),
)
SHOWN: Final = (
    "sink.copy_rows_per_s",
    "sink_20.rows_per_s",
    "sink_20.copy_rows_per_s",
    "sink_20.ratio",
    "bridge.messages_per_s",
    "bridge.messages_per_s_200",
    "end_to_end.p50_ms",
    "end_to_end.p99_ms",
    "end_to_end.generator_cpu",
    "end_to_end_20.p50_ms",
    "end_to_end_20.generator_cpu",
    "district.idle_cores",
    "district.reconnect.backlog_readings_per_s",
    "accounts.published_month.ms",
    "registers.csv_again_s",
    "registers.xlsx_again_s",
    "storage.gauge.bytes",
    "storage.register.bytes",
    "storage.gauge.plain_bytes",
    "indicators.again_s",
)
"""Measured without a goal of their own."""


def find(report: Mapping[str, object], key: str) -> float | None:
    """Return the number at ``key``, parts divided by dots; ``None`` when it was not measured."""
    at: object = report
    for part in key.split("."):
        if not isinstance(at, Mapping):
            return None
        at = at.get(part)
    return float(at) if isinstance(at, int | float) else None


def table(report: Mapping[str, object]) -> list[str]:
    """Return the lines of the table: what, goal, measured, reached."""
    rows = [("what", "goal", "measured", "reached")]
    for goal in GOALS:
        found = find(report, goal.key)
        if found is not None:
            rows.append((goal.key, str(goal), _shown(found), "yes" if goal.reached(found) else "NO"))
    for key in SHOWN:
        found = find(report, key)
        if found is not None:
            rows.append((key, "", _shown(found), ""))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join((f"{row[0]:<{widths[0]}}", f"{row[1]:>{widths[1]}}", f"{row[2]:>{widths[2]}}", row[3])).rstrip()
        for row in rows
    ]


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:,.3g}"
