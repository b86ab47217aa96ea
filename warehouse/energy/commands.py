"""`g60 warehouse energy …`. Heavy modules are imported inside the commands."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from warehouse.options import database_option


@click.group("energy")
def energy_group() -> None:
    """Energy accounts of meters (能源账)."""


@energy_group.command("close")
@database_option
@click.option(
    "--through",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z"]),
    help="Close what ends by this full quarter-hour; by default the last one that ended two minutes ago or more.",
)
def energy_close_command(database: str, through: datetime | None) -> None:
    """Compute the quarter-hours that have passed, and again those that changed (结算能源账)."""
    from warehouse.energy.job import close, last_quarter
    from warehouse.postgres import connect

    with connect(database, application="g60 energy close") as connection:
        report = close(connection, through or last_quarter(datetime.now(UTC)))
    for refused in report.refused:
        click.echo(refused, err=True)
    click.echo(
        f"closed through {report.closed_through.isoformat()}: {report.registers} registers computed, "
        f"{report.changed} quarter-hours changed"
    )


@energy_group.command("explain")
@click.option("--readings", type=click.Path(path_type=Path, exists=True), required=True, help="CSV: t, value, quality.")
@click.option(
    "--meter", type=click.Path(path_type=Path), required=True, help="TOML: kind, decimals, range, rated_max …"
)
@click.option("--events", type=click.Path(path_type=Path, exists=True), help="CSV: at, old_end, new_start.")
def energy_explain_command(readings: Path, meter: Path, events: Path | None) -> None:
    """Account for one meter from files, as CSV: start, end, energy, quality, reason (解释能源账)."""
    import csv
    import sys

    from warehouse.energy.explain import HEADER, explain, lines

    made = explain(readings, meter, events)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(lines(made))
    for t_ms, value in made.set_aside:
        at = datetime.fromtimestamp(t_ms / 1000, made.zone).isoformat()
        click.echo(f"set aside: {at} {value:f} (已剔除)", err=True)
