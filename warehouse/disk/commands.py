"""`g60 warehouse disk`."""

from __future__ import annotations

import click

_days = click.FloatRange(min=1)
_seconds = click.FloatRange(min=0, min_open=True)


@click.command("disk")
@click.option("--gateways", type=click.IntRange(1), required=True, help="How many gateways.")
@click.option("--series", type=click.IntRange(0), required=True, help="Gauges of one gateway.")
@click.option("--interval", type=_seconds, default=10.0, show_default=True, help="Seconds between readings of a gauge.")
@click.option("--registers", type=click.IntRange(0), default=0, show_default=True, help="Registers of one gateway.")
@click.option("--register-interval", type=_seconds, default=900.0, show_default=True, help="Seconds.")
@click.option("--keep-gauges", type=_days, default=730.0, show_default=True, help="Days.")
@click.option("--keep-registers", type=_days, default=3653.0, show_default=True, help="Days.")
@click.option("--keep-energy", type=_days, default=3653.0, show_default=True, help="Days of accounts and counts.")
@click.option("--kafka-replicas", type=click.IntRange(1), default=1, show_default=True, help="Copies that Kafka keeps.")
@click.option("--flavour", type=click.Choice(["plain", "timescale"]), help="Only this one; by default both.")
@click.option("--database", metavar="DSN", help="Take bytes a row from this database, where it has enough rows.")
def disk_command(
    gateways: int,
    series: int,
    interval: float,
    registers: int,
    register_interval: float,
    keep_gauges: float,
    keep_registers: float,
    keep_energy: float,
    kafka_replicas: int,
    flavour: str | None,
    database: str | None,
) -> None:
    """Say how much disk a fleet needs: a day, a month, and at retention (磁盘容量估算)."""
    from warehouse.disk.measured import measured, of_database
    from warehouse.disk.plan import Fleet, plan, table
    from warehouse.migrate import Flavour, status
    from warehouse.postgres import connect

    fleet = Fleet(
        gateways,
        series,
        interval,
        registers,
        register_interval,
        keep_gauges,
        keep_registers,
        keep_energy,
        kafka_replicas,
    )
    if database is not None:
        with connect(database, application="g60 disk") as connection:
            own = status(connection).flavour
            if flavour not in (None, own):
                raise click.UsageError(f"the database is {own} (该数据库类型为 {own})")
            found = {own: of_database(connection, own)}
    else:
        found = {one: measured(one) for one in Flavour if flavour in (None, one)}
    for one, sizes in found.items():
        click.echo(f"{one}:")
        if sizes.own:
            figures = ", ".join(f"{kind} {sizes.kept[kind]:.1f}" for kind in sorted(sizes.own))
            click.echo(f"bytes a row of this database (本库每行字节): {figures}")
        for line in table(plan(fleet, sizes)):
            click.echo(line)
