"""The folders of tests/cases/energy."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

CASES: Final = Path(__file__).parents[2] / "cases" / "energy"


def folders() -> list[Path]:
    """Every case there is, by name."""
    return sorted(path for path in CASES.iterdir() if path.is_dir())


def derived(folder: Path) -> list[tuple[str, ...]]:
    """What the case's README derives by hand, header first."""
    with (folder / "expected.csv").open(encoding="utf-8", newline="") as file:
        return [tuple(row) for row in csv.reader(file)]
