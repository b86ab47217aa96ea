"""`g60 warehouse ledger | completeness | count`."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from warehouse.options import database_option

if TYPE_CHECKING:
    from warehouse.ledger.completeness import Progress

TELL_EVERY_S = 2.0
"""How often a long count says how far it is."""
DAYS = 14
"""Days that are shown of one gateway."""

gateway_option = click.option("--gateway", help="Only this gateway.")


@click.command("ledger")
@database_option
@gateway_option
@click.option("--open", "only_open", is_flag=True, help="Only epochs with open or lost messages.")
@click.option("--holes", is_flag=True, help="Each hole: where, how old, about how many readings; and what was dropped.")
@click.option("--closed", is_flag=True, help="Holes that closed, the last one first.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1_000, show_default=True, help="Holes at most.")
def ledger_command(
    database: str, gateway: str | None, limit: int, *, only_open: bool, holes: bool, closed: bool
) -> None:
    """Show what of each gateway's messages is stored, refused, dropped, open or lost (消息台账)."""
    from warehouse.ledger.listing import closed_table, holes_table, ledger_table
    from warehouse.postgres import connect

    if only_open + holes + closed > 1:
        raise click.UsageError("one of --open, --holes and --closed (三者选一)")
    with connect(database, application="g60 ledger") as connection:
        if holes:
            lines = holes_table(connection, datetime.now(UTC), gateway, limit)
        elif closed:
            lines = closed_table(connection, gateway, limit)
        else:
            lines = ledger_table(connection, gateway, only_open=only_open)
        for line in lines:
            click.echo(line)


@click.command("completeness")
@database_option
@click.option("--gateway", help="One gateway: its last days, or with --day its series.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Day of Asia/Shanghai; by default today.")
def completeness_command(database: str, gateway: str | None, day: datetime | None) -> None:
    """Show what was expected of each gateway or series on a day, and what came (数据完整率)."""
    from warehouse.ledger.listing import gateways_table, series_table
    from warehouse.postgres import connect
    from warehouse.times import SHANGHAI

    last = datetime.now(SHANGHAI).date() if day is None else day.date()
    with connect(database, application="g60 completeness") as connection:
        if gateway is None:
            lines = gateways_table(connection, None, last, last)
        elif day is None:
            lines = gateways_table(connection, gateway, last - timedelta(days=DAYS - 1), last)
        else:
            lines = series_table(connection, gateway, last)
        for line in lines:
            click.echo(line)


@click.command("count")
@database_option
def count_command(database: str) -> None:
    """Look for holes and count completeness, once (统计一次)."""
    from warehouse.ledger.completeness import count
    from warehouse.ledger.holes import watch
    from warehouse.postgres import connect

    told_mono_s = time.monotonic()

    def tell(progress: Progress) -> None:
        nonlocal told_mono_s
        if progress.left and time.monotonic() - told_mono_s >= TELL_EVERY_S:
            told_mono_s = time.monotonic()
            click.echo(
                f"{progress.days} days of gateways counted, {progress.left} left, {progress.readings} readings",
                err=True,
            )

    with connect(database, application="g60 count") as connection:
        seen = watch(connection, datetime.now(UTC))
        click.echo(f"holes: {seen.open} open, {seen.lost} lost, {seen.closed} closed since the last look")
        progress = count(connection, datetime.now(UTC), tell=tell)
    if progress is None:
        raise click.ClickException("another run is counting (另一统计正在进行)")
    click.echo(f"completeness: {progress.days} days of gateways counted, {progress.readings} readings")
