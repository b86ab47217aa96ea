"""`g60 warehouse supply …`. Heavy modules are imported inside the commands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from edge_agent.contract.errors import BadRecord
from warehouse.options import database_option

if TYPE_CHECKING:
    from warehouse.postgres import Connection
    from warehouse.supply.listing import Listing, Named


def _month(_ctx: click.Context, _parameter: click.Parameter, text: str) -> date:
    from warehouse.period import PeriodType, parse_period

    try:
        period = parse_period(text)
    except BadRecord as error:
        raise click.BadParameter(str(error)) from error
    if period.type is not PeriodType.MONTH:
        raise click.BadParameter(f"{text!r} is no month (须为月份), like 2025-07")
    return period.start


def _shown(command: Callable[..., Any]) -> Callable[..., Any]:
    for decorate in (
        click.option("--csv", "as_csv", is_flag=True, help="As CSV, exact and not rounded."),
        click.option("--month", required=True, callback=_month, help="Month of Asia/Shanghai, like 2025-07."),
        click.argument("name", metavar="METER|CONTRACT"),
        database_option,
    ):
        command = decorate(command)
    return command


def _show(database: str, name: str, listing: Callable[[Connection, Named], Listing], *, as_csv: bool) -> None:
    from warehouse.postgres import connect
    from warehouse.supply.listing import named

    with connect(database, application="g60 supply") as connection:
        found = listing(connection, named(connection, name))
    if as_csv:
        click.echo(found.csv(), nl=False)
        for note in found.notes:
            click.echo(note, err=True)
        return
    for line in found.table():
        click.echo(line)


@click.group("supply")
def supply_group() -> None:
    """Tariff periods, demand and cost under supply contracts (峰谷电量、需量、电费)."""


@supply_group.command("keep")
@database_option
def supply_keep_command(database: str) -> None:
    """Compute what changed, once; the job `supply` does it all the time (计算一次)."""
    from warehouse.postgres import connect
    from warehouse.supply.job import keep

    with connect(database, application="g60 supply keep") as connection:
        report = keep(connection)
    click.echo(
        f"{report.days} days of meters and {report.contract_months} months of contracts computed, "
        f"{report.changed} rows changed"
    )


@supply_group.command("tariff")
@_shown
@click.option("--feed-in", is_flag=True, help="What was fed back (反向) instead of what was drawn.")
def supply_tariff_command(database: str, name: str, month: date, *, as_csv: bool, feed_in: bool) -> None:
    """Show the energy of a month by period of the tariff (尖峰平谷电量)."""
    from warehouse.supply.listing import tariff

    _show(database, name, lambda conn, which: tariff(conn, which, month, feed_in=feed_in), as_csv=as_csv)


@supply_group.command("demand")
@_shown
def supply_demand_command(database: str, name: str, month: date, *, as_csv: bool) -> None:
    """Show the highest demand of a month, and the contracted one (最大需量)."""
    from warehouse.supply.listing import demand

    _show(database, name, lambda conn, which: demand(conn, which, month), as_csv=as_csv)


@supply_group.command("cost")
@_shown
def supply_cost_command(database: str, name: str, month: date, *, as_csv: bool) -> None:
    """Show what a month costs, line by line, and what is missing to say it (电费)."""
    from warehouse.supply.listing import cost

    _show(database, name, lambda conn, which: cost(conn, which, month), as_csv=as_csv)
