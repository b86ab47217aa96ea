"""How much each benchmark does: in earnest, quickly, or just enough to show that it works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Scale:
    """Sizes of all benchmarks. ``rounds`` are repeated measurements whose median counts."""

    rounds: int
    sink_gateways: int
    sink_rows: int
    """Rows that the sink writes, and COPY, in one round."""
    bridge_messages: int
    """Messages that wait in the broker when the bridge starts; it queues at most 20 000."""
    seconds: float
    """How long end to end and the district run."""
    readings_per_s: int
    readings_per_s_20: int
    district_gateways: int
    district_interval_ms: int
    """Between two messages of a gateway, each with one reading of its 20 series."""
    admitted_per_s: int
    """Gateways of the district that connect in a second when it is set up."""
    return_within_s: float
    """Time over which the district's gateways come back after the outage."""
    outage_s: int
    """Length of the outage whose backlog they bring along."""
    backlog_per_s: float
    """Messages of the backlog that a gateway sends per second, as ``cmd/drain`` would set it."""
    away_s: float
    """How long the database is away before the sink has to catch up."""
    account_meters: int
    account_months: int
    """Months of quarter-hours that stand in the accounts."""
    enterprises: int
    """Enterprises whose registers are loaded."""
    growth_rows: int
    growth_rounds: int
    growth_gateways: int
    growth_table_rows: int
    """Rows that stand in the table at 1×."""
    growth_factors: tuple[int, ...] = (1, 4, 16)


FULL: Final = Scale(
    rounds=5,
    sink_gateways=50,
    sink_rows=1_500_000,
    bridge_messages=15_000,
    seconds=60.0,
    readings_per_s=150_000,
    readings_per_s_20=50_000,
    district_gateways=10_000,
    district_interval_ms=10_000,
    admitted_per_s=400,
    return_within_s=60.0,
    outage_s=3_600,
    backlog_per_s=0.1,
    away_s=60.0,
    account_meters=2_000,
    account_months=12,
    enterprises=10_000,
    growth_rows=1_000_000,
    growth_rounds=3,
    growth_gateways=50,
    growth_table_rows=1_000_000,
)
QUICK: Final = Scale(
    rounds=1,
    sink_gateways=50,
    sink_rows=800_000,
    bridge_messages=5_000,
    seconds=4.0,
    readings_per_s=150_000,
    readings_per_s_20=50_000,
    district_gateways=500,
    district_interval_ms=10_000,
    admitted_per_s=400,
    return_within_s=5.0,
    outage_s=600,
    backlog_per_s=0.1,
    away_s=10.0,
    account_meters=200,
    account_months=2,
    enterprises=2_000,
    growth_rows=700_000,
    growth_rounds=1,
    growth_gateways=50,
    growth_table_rows=100_000,
    growth_factors=(1, 4),
)
TINY: Final = Scale(
    rounds=1,
    sink_gateways=4,
    sink_rows=8_000,
    bridge_messages=200,
    seconds=1.0,
    readings_per_s=4_000,
    readings_per_s_20=1_000,
    district_gateways=20,
    district_interval_ms=200,
    admitted_per_s=100,
    return_within_s=0.5,
    outage_s=60,
    backlog_per_s=5.0,
    away_s=2.0,
    account_meters=20,
    account_months=1,
    enterprises=50,
    growth_rows=4_000,
    growth_rounds=1,
    growth_gateways=2,
    growth_table_rows=4_000,
    growth_factors=(1,),
)
