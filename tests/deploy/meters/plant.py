"""Meters for the tests, over the real load curve."""

from __future__ import annotations

from functools import cache
from typing import Any

from deploy.local.demo.steel import STEEL_PARQUET
from deploy.local.meters.curve import LoadCurve, read_curve
from deploy.local.meters.meter import Display
from deploy.local.meters.settings import Cell, Encoding, Meter, Order, Quantity

ORIGIN_MS = 1_790_000_000_000


@cache
def curve() -> LoadCurve:
    return read_curve(STEEL_PARQUET)


def cells(start: int = 4096, energy: Encoding = Encoding.UINT32) -> tuple[Cell, ...]:
    return (
        Cell(quantity=Quantity.ACTIVE_ENERGY, address=start, encoding=energy),
        Cell(quantity=Quantity.REACTIVE_ENERGY, address=start + energy.words, encoding=energy),
        Cell(quantity=Quantity.ACTIVE_POWER, address=start + 2 * energy.words, encoding=Encoding.FLOAT32),
        Cell(quantity=Quantity.POWER_FACTOR, address=start + 2 * energy.words + 2, encoding=Encoding.INT16),
    )


def meter(**changes: Any) -> Meter:
    given: dict[str, Any] = {
        "name": "m1",
        "serial": "001",
        "port": 1502,
        "scale": (1, 1),
        "origin_ms": ORIGIN_MS,
        "active_at_origin": 12_345,
        "reactive_at_origin": 678,
        "order": Order.ABCD,
        "cells": cells(),
    }
    return Meter.model_validate(given | changes)


def display(**changes: Any) -> Display:
    return Display(meter(**changes), curve())
