"""`g60 warehouse …`: the commands of the warehouse. Heavy modules are imported inside the commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edge_agent.contract.errors import PulseError
from warehouse.access.commands import access_group
from warehouse.backup.commands import backup_command, restore_command
from warehouse.clock.commands import clock_group
from warehouse.consumption.commands import balance_command, consumption_command
from warehouse.disk.commands import disk_command
from warehouse.energy.commands import energy_group
from warehouse.ledger.commands import completeness_command, count_command, ledger_command
from warehouse.options import database_option
from warehouse.parquet.commands import export_command, import_command
from warehouse.refused.commands import refused_group
from warehouse.registry.commands import load_command, template_command
from warehouse.retention.commands import retention_group
from warehouse.statistics.commands import statistics_group
from warehouse.supply.commands import supply_group


class _Commands(click.Group):
    """Tells the project's own errors as one message, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PulseError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Commands, name="warehouse")
def cli() -> None:
    """Schema, sink and reference data of the warehouse (数据仓库)."""


cli.add_command(access_group)
cli.add_command(ledger_command)
cli.add_command(completeness_command)
cli.add_command(count_command)
cli.add_command(refused_group)
cli.add_command(clock_group)
cli.add_command(energy_group)
cli.add_command(supply_group)
energy_group.add_command(consumption_command)
energy_group.add_command(balance_command)
cli.add_command(statistics_group)
cli.add_command(backup_command)
cli.add_command(restore_command)
cli.add_command(disk_command)
cli.add_command(export_command)
cli.add_command(import_command)
cli.add_command(load_command)
cli.add_command(template_command)
cli.add_command(retention_group)


@cli.command("migrate")
@database_option
@click.option("--status", "only_status", is_flag=True, help="Say what is missing and change nothing.")
def migrate_command(database: str, *, only_status: bool) -> None:
    """Bring the database to the schema of this version (升级数据库结构)."""
    from warehouse.migrate import migrate, status
    from warehouse.postgres import connect

    with connect(database, application="g60 migrate") as connection:
        if only_status:
            found = status(connection)
            click.echo(f"{found.flavour}, {len(found.applied)} applied, {len(found.pending)} pending")
            for migration in found.pending:
                click.echo(f"pending {migration}")
            return
        for migration in migrate(connection):
            click.echo(f"applied {migration}")
        click.echo(f"up to date ({status(connection).flavour})")


@cli.command("sink")
@click.option("--config", type=click.Path(path_type=Path), required=True, help="TOML file of the sink.")
def sink_command(config: Path) -> None:
    """Write what arrives on Kafka into the database until stopped (入库服务)."""
    from edge_agent.contract.settings import load
    from warehouse.sink.run import run
    from warehouse.sink.settings import SinkSettings

    run(load(SinkSettings, [config]))


@cli.command("jobs")
@click.option("--config", type=click.Path(path_type=Path), required=True, help="TOML file of the jobs.")
def jobs_command(config: Path) -> None:
    """Look for holes, close energy accounts and count completeness every minute until stopped (定时任务服务)."""
    from edge_agent.contract.settings import load
    from warehouse.jobs.run import run
    from warehouse.jobs.settings import JobsSettings

    run(load(JobsSettings, [config]))


@cli.command("describe")
@database_option
def describe_command(database: str) -> None:
    """Write the documentation of every table and view, as Markdown (数据库表说明)."""
    from warehouse.describe import markdown, read_schemas
    from warehouse.postgres import connect

    with connect(database, application="g60 describe") as connection:
        click.echo(markdown(read_schemas(connection)), nl=False)
