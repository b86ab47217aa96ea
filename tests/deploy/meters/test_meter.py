"""What a meter shows follows from the real curve, the settings and the time alone, exactly."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.demo.steel import read_parquet
from deploy.local.meters.curve import ANCHOR_MS, CYCLE_SLOTS, SLOT_MS, Counter
from deploy.local.meters.settings import Quantity
from edge_agent.contract.errors import Misconfigured
from tests.deploy.meters.plant import ORIGIN_MS, curve, display, meter

SHANGHAI = timezone(timedelta(hours=8))
TIMES = st.integers(ORIGIN_MS - 400 * 86_400_000, ORIGIN_MS + 800 * 86_400_000)
REGISTERS = st.sampled_from([Quantity.ACTIVE_ENERGY, Quantity.REACTIVE_ENERGY])


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, tzinfo=SHANGHAI).timestamp() * 1000)


def test_weekday_and_time_of_day_are_kept() -> None:
    # Tuesday 2026-11-24 is day 330 after the anchor; in the data Tuesday 2018-11-27 is day 330.
    rows = {row.closes_at.replace(tzinfo=None): row for row in read_parquet()}
    row = rows[datetime(2018, 11, 27, 14, 30)]  # noqa: DTZ001 - the plant's wall clock is meant
    shown = display()
    grown = shown.grown(Quantity.ACTIVE_ENERGY, at(2026, 11, 24, 14, 15), at(2026, 11, 24, 14, 30))
    assert grown == row.active_ckwh
    assert datetime.fromtimestamp(at(2026, 11, 24) / 1000, UTC).astimezone(SHANGHAI).weekday() == 1


def test_the_year_repeats_after_52_weeks() -> None:
    total = sum(row.active_ckwh for row in read_parquet()[:CYCLE_SLOTS])
    assert display().grown(Quantity.ACTIVE_ENERGY, ANCHOR_MS + 5, ANCHOR_MS + CYCLE_SLOTS * SLOT_MS + 5) == total


@given(TIMES, TIMES, REGISTERS, st.integers(1, 50), st.integers(1, 4000))
def test_a_register_never_goes_backwards(one: int, two: int, quantity: Quantity, over: int, under: int) -> None:
    first, last = sorted((one, two))
    assert display(scale=(over, under)).grown(quantity, first, last) >= 0


@given(TIMES, TIMES, TIMES, REGISTERS)
def test_growth_telescopes(one: int, two: int, three: int, quantity: Quantity) -> None:
    shown = display(scale=(20, 3))
    first, middle, last = sorted((one, two, three))
    assert shown.grown(quantity, first, last) == shown.grown(quantity, first, middle) + shown.grown(
        quantity, middle, last
    )


@given(TIMES, REGISTERS)
def test_a_register_stays_in_its_range_and_rolls_over(t_ms: int, quantity: Quantity) -> None:
    small = display(range=20_000)
    start = small.meter.active_at_origin if quantity is Quantity.ACTIVE_ENERGY else small.meter.reactive_at_origin
    shown = small.value(quantity, t_ms)
    assert isinstance(shown, int)
    assert 0 <= shown < 20_000
    assert (shown - start - small.grown(quantity, ORIGIN_MS, t_ms)) % 20_000 == 0


def test_a_rollover_happens_at_a_quarter_hour_reading() -> None:
    shown = display(active_at_origin=99_999_990)
    values = [shown.value(Quantity.ACTIVE_ENERGY, ORIGIN_MS + minute * 60_000) for minute in range(0, 240, 15)]
    falls = [(a, b) for a, b in pairwise(values) if b < a]
    assert len(falls) == 1
    assert falls[0][0] > 99_999_000
    assert falls[0][1] < 1_000


@given(TIMES)
def test_the_closing_power_is_the_mean_of_the_quarter_hour(t_ms: int) -> None:
    closing = t_ms - t_ms % SLOT_MS
    shown = display()
    mean_kw = Decimal(shown.grown(Quantity.ACTIVE_ENERGY, closing - SLOT_MS, closing)) * 4 / 100
    assert shown.value(Quantity.ACTIVE_POWER, closing) == pytest.approx(float(mean_kw), rel=1e-5)


@given(TIMES)
def test_the_ripple_is_bounded(t_ms: int) -> None:
    closing = -(-t_ms // SLOT_MS) * SLOT_MS
    shown = display(ripple_permille=8)
    mean = shown.value(Quantity.ACTIVE_POWER, closing)
    assert shown.value(Quantity.ACTIVE_POWER, t_ms) == pytest.approx(mean, rel=0.0081)


def test_the_power_factor_agrees_with_the_published_one() -> None:
    # Where the current only lags, the published lagging factor (0.01 %) is the same quotient; ours is cut, not rounded.
    rows = read_parquet()[:CYCLE_SLOTS]
    compared = 0
    for index, row in enumerate(rows):
        if row.active_ckwh and row.lagging_ckvarh and not row.leading_ckvarh:
            ours = curve().power_factor_permille((index + 1) * SLOT_MS)
            assert abs(ours - row.lagging_factor_bp / 10) <= 1.2, row
            compared += 1
    assert compared > 20_000


def test_a_standing_plant_has_power_factor_one() -> None:
    counter = Counter.of([0] * CYCLE_SLOTS)
    still = type(curve())(counter, counter, counter)
    assert still.power_factor_permille(SLOT_MS) == 1000


@given(TIMES, st.integers(1, 30), st.integers(1, 4000))
def test_a_32_bit_float_carries_the_power(t_ms: int, over: int, under: int) -> None:
    power = display(scale=(over, under)).value(Quantity.ACTIVE_POWER, t_ms)
    (carried,) = struct.unpack(">f", struct.pack(">f", power))
    assert float(f"{carried:.6g}") == power


def test_shifts_move_along_the_data() -> None:
    day = 96 * SLOT_MS
    plain = display().grown(Quantity.ACTIVE_ENERGY, ORIGIN_MS + 7 * day + SLOT_MS, ORIGIN_MS + 7 * day + 9 * SLOT_MS)
    moved = display(shift_weeks=1, shift_slots=1).grown(Quantity.ACTIVE_ENERGY, ORIGIN_MS, ORIGIN_MS + 8 * SLOT_MS)
    assert moved == plain


@pytest.mark.parametrize(
    "wrong",
    [
        {"range": 1 << 33},
        {"active_at_origin": 100_000_000},
        {"cells": ({"quantity": "power_factor", "address": 0, "encoding": "float32"},)},
        {"cells": ({"quantity": "active_power", "address": 0, "encoding": "uint32"},)},
        {
            "cells": (
                {"quantity": "active_power", "address": 0, "encoding": "float32"},
                {"quantity": "power_factor", "address": 1, "encoding": "int16"},
            )
        },
    ],
)
def test_a_meter_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="1 validation error"):
        meter(**wrong)


def test_a_curve_that_falls_is_refused() -> None:
    with pytest.raises(Misconfigured):
        Counter.of([-1] * CYCLE_SLOTS)
