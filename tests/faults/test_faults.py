"""The suite in short: every fault once on the system as it is, then each guarantee switched off and found missing."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.mutants import MUTANTS, play_mutant
from tests.faults.plan import Kind, plan
from tests.faults.report import Report
from tests.faults.run import Run
from tests.faults.stage import Theatre

HONEST = 2
"""Gateways of the system as it is; each mutant has one of its own, so that all share one start of the servers."""
DECISIVE = tuple(name for name, mutant in MUTANTS.items() if not mutant.covered)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def theatre(servers_folder: Path) -> Iterator[Theatre]:
    with Theatre(Path(tempfile.mkdtemp(prefix="faults-", dir=servers_folder)), HONEST + len(DECISIVE)) as found:
        yield found


def told(report: Report, theatre: Theatre, kept: Path) -> str:
    """Say what was found, and keep what explains it."""
    for number, logs in enumerate(theatre.logs()):
        shutil.copytree(logs, kept / f"logs-{number}")
    report.write(kept / "report.json")
    return f"seed {report.seed}; {report.summary()}; {report.findings.readings.examples}; logs are in {kept}"


def test_every_fault_loses_nothing_and_repeats_nothing(theatre: Theatre, tmp_path: Path) -> None:
    seed = secrets.randbelow(1 << 31)
    report = Run(theatre, theatre.gateways[:HONEST], seed, print).play(plan(2, seed))
    assert report.clean, told(report, theatre, tmp_path)
    assert report.findings.readings.stored > report.findings.readings.backfilled > 0
    assert report.findings.energy.quarters > 0
    assert set(report.faults) | set(report.left_out) == set(Kind)
    # A kill waits seconds for a moment that comes several times in each; on a machine that stands still it may miss.
    assert sum(report.kills_with_unacknowledged.values()) >= report.kills / 2, told(report, theatre, tmp_path)


@pytest.mark.parametrize("name", DECISIVE)
def test_a_guarantee_switched_off_is_found_missing(theatre: Theatre, tmp_path: Path, name: str) -> None:
    gateway = theatre.gateways[HONEST + DECISIVE.index(name)]
    report = play_mutant(theatre, MUTANTS[name], (gateway,), 1, 0, print)
    assert report.findings.readings.lost > 0, told(report, theatre, tmp_path)
    assert report.findings.ledger.open + report.findings.ledger.lost > 0, told(report, theatre, tmp_path)
    assert not report.clean
