"""The demo's meters behave as their profiles promise: bounded, rolling over when said, adding up."""

from __future__ import annotations

import tomllib
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from deploy.local.demo.profiles import SHANGHAI, Demo, load_profiles, past_begins
from deploy.local.demo.steel import read_parquet
from deploy.local.meters.curve import SLOT_MS
from deploy.local.meters.load_profile import load_profile
from deploy.local.meters.settings import MetersSettings, Quantity
from deploy.local.toml_text import dumps
from edge_agent.contract.settings import parse
from warehouse.registry.uscc import inner_warning, problem


def ms(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=SHANGHAI).timestamp() * 1000)  # type: ignore[arg-type, misc]


NOW_MS = ms(2026, 11, 24, 15, 47, 12)


@pytest.fixture(scope="module")
def demo() -> Demo:
    return Demo.started(NOW_MS)


@pytest.mark.parametrize(
    ("now", "begins"),
    [
        ((2026, 11, 24, 15, 47), (2026, 9, 25)),
        ((2026, 3, 1, 0, 0), (2025, 12, 31)),
        ((2026, 8, 31, 23, 59), (2026, 7, 1)),
        ((2026, 1, 15, 0, 30), (2025, 11, 16)),
    ],
)
def test_the_past_holds_sixty_days_and_the_previous_month(now: tuple[int, ...], begins: tuple[int, ...]) -> None:
    assert past_begins(ms(*now)) == ms(*begins)


def test_four_enterprises_six_meters_labelled_synthetic(demo: Demo) -> None:
    enterprises = demo.profiles.enterprises
    assert len(enterprises) == len(demo.gateways) == 4
    assert len(demo.displays) == 6
    for enterprise in enterprises:
        assert "合成数据" in enterprise.name
        assert problem(enterprise.uscc) is None
        assert inner_warning(enterprise.uscc) is None
    assert len({demo.profile_of(meter).serial for meter in demo.displays}) == 6


def test_the_past_is_large_enough(demo: Demo) -> None:
    readings = 4 * 6 * (demo.now_ms - demo.start_ms) // SLOT_MS
    assert readings >= 138_000


def test_powers_and_counts_stay_below_what_the_birth_declares(demo: Demo) -> None:
    for name, display in demo.displays.items():
        largest = max(
            float(display.value(Quantity.ACTIVE_POWER, t_ms))
            for t_ms in range(demo.start_ms + 1, demo.start_ms + 364 * 96 * SLOT_MS, SLOT_MS)
        )
        assert 0.3 * demo.profile_of(name).rated_max < largest < demo.profile_of(name).rated_max, name


def test_one_register_rolls_over_in_the_past_and_one_while_watched(demo: Demo) -> None:
    falls = {}
    for name, display in demo.displays.items():
        energy = [
            (entry.t_ms, entry.value)
            for entry in load_profile(display, demo.start_ms, demo.now_ms + 3_600_000)
            if entry.series.endswith(".active_energy_import")
        ]
        falls[name] = [
            (t_ms, before / display.meter.range, after / display.meter.range)
            for (_, before), (t_ms, after) in pairwise(energy)
            if after < before
        ]
    rolled = {name: moments for name, moments in falls.items() if moments}
    assert list(rolled) == ["xinqiao-main", "xiaokunshan-main"]
    (past,), (live,) = rolled.values()
    assert demo.start_ms < past[0] < demo.now_ms
    assert demo.now_ms < live[0] < demo.now_ms + 1_200_000
    assert min(past[1], live[1]) > 0.9
    assert max(past[2], live[2]) < 0.1


def test_a_live_rollover_comes_when_it_is_said(demo: Demo) -> None:
    display = demo.displays["xiaokunshan-main"]
    passes_ms = demo.now_ms + 120_000
    assert display.value(Quantity.ACTIVE_ENERGY, passes_ms) == 0
    assert int(display.value(Quantity.ACTIVE_ENERGY, passes_ms - 60_000)) > 0.9 * display.meter.range


def test_the_sub_meters_explain_97_percent_of_their_boundary_meter(demo: Demo) -> None:
    day = (demo.start_ms + 3 * 96 * SLOT_MS, demo.start_ms + 4 * 96 * SLOT_MS)
    parent = demo.expected_energy_kwh("dongjing-main", *day)
    children = [demo.expected_energy_kwh(name, *day) for name in ("dongjing-press", "dongjing-furnace")]
    assert sum(children) / parent == pytest.approx(Decimal("0.97"), abs=Decimal("0.001"))
    assert demo.expected_account_kwh("91310117MA1J00014T", *day) == parent


def test_the_expected_energy_is_that_of_the_data(demo: Demo) -> None:
    # October 2026 in Shanghai lies 276 … 307 days after the anchor; chedun reads nine weeks further on.
    rows = read_parquet()[:34_944]
    first = (276 + 9 * 7) * 96
    plant_kwh = Decimal(sum(rows[slot % len(rows)].active_ckwh for slot in range(first, first + 31 * 96))) / 100
    found = demo.expected_energy_kwh("chedun-main", ms(2026, 10, 1), ms(2026, 11, 1))
    least = Decimal(200) / 1000
    assert abs(found - plant_kwh) <= least
    assert found % least == 0


def test_the_energy_of_adjoining_periods_adds_up(demo: Demo) -> None:
    first, middle, last = ms(2026, 10, 1), ms(2026, 10, 12, 7, 31), ms(2026, 11, 1)
    for name in demo.displays:
        parts = demo.expected_energy_kwh(name, first, middle) + demo.expected_energy_kwh(name, middle, last)
        assert parts == demo.expected_energy_kwh(name, first, last)


def test_the_settings_of_the_meters_survive_the_file(demo: Demo, tmp_path: Path) -> None:
    settings = demo.meters_settings(tmp_path, 15_020)
    assert [meter.port for meter in settings.meters] == list(range(15_021, 15_027))
    text = dumps(settings.model_dump(mode="json"))
    assert parse(MetersSettings, tomllib.loads(text), "test") == settings


def test_a_meter_begins_in_one_way() -> None:
    meter = load_profiles().enterprises[0].meters[0]
    with pytest.raises(ValueError, match="give one of"):
        type(meter).model_validate(meter.model_dump() | {"rolls_over_days_after_start": 3})
