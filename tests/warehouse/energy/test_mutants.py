"""Every rule of the energy accounts is held by a case: whoever breaks a rule, breaks a case.

A file of mutants/ breaks one rule by replacing one place of one module's source, and names the case of
tests/cases/energy that must fail then. A new mutant is a new file.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Final, NamedTuple

import pytest

from edge_agent.contract.errors import PulseError
from tests.warehouse.energy.cases import CASES, derived, folders
from warehouse.energy import account, explain, power, walk

MUTANTS: Final = sorted((Path(__file__).parent / "mutants").glob("*.toml"))
MODULES: Final = {module.__name__.rpartition(".")[2]: module for module in (walk, account, power, explain)}
RULES: Final = {"1", "2", "3", "4", "5", "6", "7", "8", "power"}
"""Those of D6, and the integration of power."""


class Mutant(NamedTuple):
    """One rule broken."""

    says: str
    rule: str
    fails: str
    module: str
    old: str
    new: str


def read(path: Path) -> Mutant:
    return Mutant(**{key: str(value) for key, value in tomllib.loads(path.read_text("utf-8")).items()})


def mutated(source: str, mutant: Mutant) -> str:
    """Replace the one place that the mutant means; a mutant that means none, or several, is an error."""
    if source.count(mutant.old) != 1:
        raise LookupError(f"{mutant.says}: {mutant.module} has {source.count(mutant.old)} times\n{mutant.old}")
    return source.replace(mutant.old, mutant.new)


@contextmanager
def broken(mutant: Mutant) -> Iterator[None]:
    """Put a mutated copy of a module in its place: whatever the others import of it is that of the copy."""
    original = MODULES[mutant.module]
    path = Path(str(original.__file__))
    code = compile(mutated(path.read_text("utf-8"), mutant), str(path), "exec")
    with pytest.MonkeyPatch.context() as patch:
        copy = ModuleType(original.__name__)
        patch.setitem(sys.modules, original.__name__, copy)
        exec(code, copy.__dict__)  # noqa: S102  # our own source
        own = {name: value for name, value in vars(original).items() if not name.startswith("__")}
        for module in MODULES.values():
            for name, value in own.items():
                if vars(module).get(name) is value:
                    patch.setattr(module, name, vars(copy)[name])
            if vars(module).get(mutant.module) is original:
                patch.setattr(module, mutant.module, copy)
        yield


def comes_out(folder: Path) -> bool:
    """Say whether a case comes out as derived."""
    events = folder / "events.csv"
    try:
        made = explain.explain(folder / "readings.csv", folder / "meter.toml", events if events.exists() else None)
        return list(explain.lines(made)) == derived(folder)[1:]
    except PulseError:
        return False


def test_no_case_fails_while_nothing_is_broken() -> None:
    assert [folder.name for folder in folders() if not comes_out(folder)] == []


@pytest.mark.parametrize("path", MUTANTS, ids=lambda path: path.stem)
def test_a_broken_rule_breaks_its_case(path: Path) -> None:
    mutant = read(path)
    case = CASES / mutant.fails
    with broken(mutant):
        assert not comes_out(case), mutant.says
    assert comes_out(case), "whole again"


def test_every_rule_is_broken_by_some_mutant() -> None:
    assert {read(path).rule for path in MUTANTS} == RULES


def test_a_mutant_that_no_longer_means_any_place_is_told() -> None:
    gone = Mutant("Something", "1", "rollover", "walk", "no such place", "")
    with pytest.raises(LookupError, match="0 times"), broken(gone):
        pass
    with pytest.raises(LookupError, match="times"), broken(gone._replace(old="return")):
        pass
