"""Every folder of tests/cases/energy is one account, derived by hand in its README; a new test is a new folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.warehouse.energy.cases import CASES, derived, folders
from warehouse.energy.explain import HEADER, explain, lines


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: folder.name)
def test_case(folder: Path) -> None:
    events = folder / "events.csv"
    made = explain(folder / "readings.csv", folder / "meter.toml", events if events.exists() else None)
    header, *expected = derived(folder)
    assert header == HEADER
    assert list(lines(made)) == expected


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: folder.name)
def test_a_case_says_in_words_what_it_expects(folder: Path) -> None:
    title, nothing, *words = (folder / "README.md").read_text("utf-8").splitlines()
    assert title.startswith("# ")
    assert nothing == ""
    assert len(" ".join(words)) > 60, "the derivation"


def test_the_table_of_cases_is_whole() -> None:
    table = (CASES / "README.md").read_text("utf-8")
    assert len(folders()) >= 25
    assert [folder.name for folder in folders() if f"`{folder.name}`" not in table] == []
