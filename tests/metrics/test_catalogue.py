"""The catalogue's files: all are read, all are used, and a wrong one says how."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from edge_agent.contract.errors import Misconfigured
from metrics import figures
from metrics.entries import FOLDER, Coverage, Formula, Selection, load_catalogue
from metrics.show import rounded
from tests.metrics.world import CATALOGUE
from warehouse.indicators.results import Counted, Evidence


def test_the_targets_are_those_of_the_plan() -> None:
    targets = {name: entry.target.value for name, entry in CATALOGUE.entries.items() if entry.target is not None}
    assert targets == {"smes_on_platform": 10_000, "digital_transformation_ratio": 80}
    assert {entry.plan for entry in CATALOGUE.entries.values()} == {"songjiang-2021", None}


def test_every_sql_file_is_used_and_every_one_that_is_named_exists() -> None:
    entries = CATALOGUE.entries.values()
    assert {path.name for path in (FOLDER / "indicators").iterdir()} == {entry.sql for entry in entries}
    named = {needed.sql for entry in entries for needed in entry.inputs}
    assert {path.name for path in (FOLDER / "inputs").iterdir()} == named


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("catalogue/smes_on_platform.toml", 'kind = "cumulative"', 'kind = "growing"', "kind"),
        (
            "catalogue/smes_on_platform.toml",
            'plan = "songjiang-2021"',
            'plan = "x"',
            "no plan x; known: songjiang-2021",
        ),
        ("catalogue/smes_on_platform.toml", 'rules = "platform_onboarding"', 'rules = "x"', "no rule set x"),
        ("catalogue/smes_on_platform.toml", "value = 10000\n", "", "a target needs a value or a wording"),
        ("rules/panel_energy.toml", "version = 1", "version = 0", "version"),
    ],
)
def test_a_wrong_file_is_told(tmp_path: Path, file: str, old: str, new: str, told: str) -> None:
    folder = tmp_path / "metrics"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    text = (folder / file).read_text("utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), "utf-8")
    with pytest.raises(Misconfigured, match=told):
        load_catalogue(folder)


def member(counted: Counted, amount: str | None = None, weight: str | None = None, **detail: object) -> Evidence:
    made = [None if number is None else Decimal(number) for number in (amount, weight)]
    return Evidence("m", counted, "r", None, made[0], made[1], detail, "s", "consented")


def test_a_quotient_over_nothing_has_no_value() -> None:
    found = figures.headline(
        [member(Counted.NUMERATOR, "1", "-1"), member(Counted.NUMERATOR, "1", "1")], Formula.QUOTIENT
    )
    assert (found.value, found.numerator, found.denominator) == (None, Decimal(2), Decimal(0))
    assert figures.headline([], Formula.PERCENT).value is None
    assert figures.headline([], Formula.COUNT).value == 0


def test_coverage_is_of_what_was_expected() -> None:
    members = [member(Counted.NUMERATOR, there=3, expected=4), member(Counted.EXCLUDED, there=0, expected=4)]
    rule = Coverage(numerator=Selection(sum="there"), denominator=Selection(sum="expected"))
    assert figures.coverage(members, rule) == Decimal("0.75")
    assert figures.coverage(members, None) is None


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [("0.118285", 4, "0.1183"), ("76.75", 1, "76.8"), ("2.5", 0, "3"), ("10012", 0, "10012"), (None, 2, "–")],
)
def test_rounding_is_half_up_and_nothing_is_never_zero(value: str | None, decimals: int, shown: str) -> None:
    assert rounded(None if value is None else Decimal(value), decimals) == shown
