"""The commands: `g60 warehouse load`, `energy close`, `energy explain`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.warehouse.energy.plant import MARCH, QUARTER, Plant, every_quarter
from warehouse.cli import cli
from warehouse.energy.job import last_quarter
from warehouse.postgres import Connection

CASE = Path(__file__).parents[2] / "cases" / "energy" / "spike_up"


def test_explain_prints_the_account_and_what_was_set_aside() -> None:
    arguments = ["energy", "explain", "--readings", str(CASE / "readings.csv"), "--meter", str(CASE / "meter.toml")]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0
    assert result.stdout == (CASE / "expected.csv").read_text("utf-8")
    assert "set aside: 2026-03-02T10:15:00+08:00" in result.stderr


def test_explain_says_which_meter_file_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "meter.toml").write_text("decimals = -1\n", "utf-8")
    arguments = ["energy", "explain", "--readings", str(CASE / "readings.csv"), "--meter", str(tmp_path / "meter.toml")]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 1
    assert "decimals" in result.stderr


def test_close_and_load_from_the_command_line(ready: Connection, ready_dsn: str, tmp_path: Path) -> None:
    plant = Plant(ready)
    meter, series = plant.metered("a")
    plant.read(series, every_quarter([0, 10, 20]))
    through = (MARCH + 2 * QUARTER).isoformat()
    result = CliRunner().invoke(cli, ["energy", "close", "--database", ready_dsn, "--through", through])
    assert (result.exit_code, result.stdout) == (
        0,
        f"closed through {through}: 1 registers computed, 2 quarter-hours changed\n",
    )
    assert plant.energies(meter) == ["0.10", "0.10"]
    (tmp_path / "consents.csv").write_text("uscc,purpose\n", "utf-8")
    result = CliRunner().invoke(cli, ["load", "--database", ready_dsn, str(tmp_path)])
    assert result.exit_code == 1
    assert "consents.csv:1 document" in result.stderr
    result = CliRunner().invoke(cli, ["load", "--database", ready_dsn, "--reference"])
    assert result.exit_code == 0
    assert "areas.csv: 0 added, 0 changed, " in result.stdout


@pytest.mark.parametrize(("minute", "closed"), [(1, 45), (2, 0), (16, 0), (17, 15)])
def test_the_last_quarter_has_ended_two_minutes_ago(minute: int, closed: int) -> None:
    found = last_quarter(datetime(2026, 3, 2, 10, minute, 30, tzinfo=UTC))
    assert found == datetime(2026, 3, 2, 9 if closed == 45 else 10, closed, tzinfo=UTC)
