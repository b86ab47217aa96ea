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


@energy_group.command("check")
@database_option
@click.option("--days", type=click.IntRange(1, 4_000), help="So many days before today; 35 when nothing is given.")
@click.option("--from", "from_day", type=click.DateTime(["%Y-%m-%d"]), help="First day (首日), of Shanghai.")
@click.option("--to", "to_day", type=click.DateTime(["%Y-%m-%d"]), help="Last day (末日), of Shanghai.")
@click.option("--meters", "serials", multiple=True, help="Only the meter with this serial number; may be repeated.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Language of the table.")
def energy_check_command(
    database: str,
    days: int | None,
    from_day: datetime | None,
    to_day: datetime | None,
    serials: tuple[str, ...],
    lang: str,
) -> None:
    """Compute accounts anew from the readings and compare; exit code 1 when a row differs (核对能源账)."""
    from datetime import timedelta

    from warehouse.energy.nightly import RECENT, check_asked, serials_of
    from warehouse.energy.tell import told
    from warehouse.postgres import connect
    from warehouse.times import SHANGHAI

    if (from_day is None) != (to_day is None) or (days is not None and from_day is not None):
        raise click.UsageError("give --days, or --from and --to (请给出 --days，或 --from 与 --to)")
    now = datetime.now(UTC)
    today = now.astimezone(SHANGHAI).date()
    first, after = today - (RECENT if days is None else timedelta(days=days)), today
    if from_day is not None and to_day is not None:
        first, after = from_day.date(), to_day.date() + timedelta(days=1)
    if first >= after:
        raise click.UsageError("--from is after --to (首日晚于末日)")
    with connect(database, application="g60 energy check") as connection:
        found = check_asked(connection, first, after, serials or None, now)
        names = serials_of(connection, found)
    for line in told(found, names, chinese=lang == "zh"):
        click.echo(line)
    if found.differing:
        raise SystemExit(1)


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
