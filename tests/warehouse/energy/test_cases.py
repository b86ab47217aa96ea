"""Every folder of tests/cases/energy is one account, derived by hand in its README; a new test is a new folder."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from warehouse.energy.explain import HEADER, explain, lines

CASES = Path(__file__).parents[2] / "cases" / "energy"


@pytest.mark.parametrize("folder", sorted(CASES.iterdir()), ids=lambda folder: folder.name)
def test_case(folder: Path) -> None:
    events = folder / "events.csv"
    made = explain(folder / "readings.csv", folder / "meter.toml", events if events.exists() else None)
    with (folder / "expected.csv").open(encoding="utf-8", newline="") as file:
        header, *expected = (tuple(row) for row in csv.reader(file))
    assert header == HEADER
    assert list(lines(made)) == expected


def test_there_are_cases() -> None:
    assert len(list(CASES.iterdir())) >= 8
