"""The synthetic district: 12 000 enterprises whose counts another part of the project planted, found again exactly."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from deploy.local.demo.district import write_district
from deploy.local.demo.profiles import Demo, load_profiles, past_begins
from metrics.run import run
from tests.metrics.world import CATALOGUE, figures
from warehouse.postgres import Connection
from warehouse.registry.load import load_folder

PLAN = ["smes_on_platform", "digital_transformation_ratio"]


@pytest.mark.slow
def test_the_planted_counts_are_found_within_ten_seconds(ready: Connection, tmp_path: Path) -> None:
    now_ms = int(datetime(2026, 11, 24, tzinfo=UTC).timestamp() * 1000)
    planted = write_district(tmp_path / "district", Demo(load_profiles(), past_begins(now_ms), now_ms))
    assert planted.enterprises > 10_000
    assert load_folder(ready, tmp_path / "district").refused == ()
    began_s = time.monotonic()
    smes, ratio = (outcome.draft for outcome in run(ready, CATALOGUE, indicators=PLAN, period="2025-12"))
    assert time.monotonic() - began_s < 10
    assert smes is not None
    assert ratio is not None
    assert smes.content.value == planted.on_platform
    assert smes.content.status == "met"
    reasons = smes.content.detail["groups"]["reason"]
    assert reasons == planted.not_counted | {"qualified": planted.on_platform}
    years = {str(year): count for year, count in planted.on_platform_by_year.items()}
    assert smes.content.detail["groups"]["year"] == years
    assert (ratio.content.numerator, ratio.content.denominator) == (Decimal(planted.qualified), Decimal(planted.roster))
    assert ratio.content.status == "not_met"
    assert figures(ratio.content)["stale"] == str(planted.stale)
    assert ratio.content.detail["figures"][0]["numerator"] == str(planted.assessed)
