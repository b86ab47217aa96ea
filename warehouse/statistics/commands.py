"""``g60 warehouse statistics …``. Heavy modules are imported inside the commands."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from warehouse.options import database_option, moment

if TYPE_CHECKING:
    from warehouse.statistics.series import Value

subject_option = click.option("--subject", help="Area (310117) or 统一社会信用代码; by default all.")
as_of_option = click.option(
    "--as-of", "as_of", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="As published by that day."
)
known_option = click.option("--known-on", type=moment, help="As we knew it then: a moment with its zone.")
scope_option = click.option("--scope", help="Only this population: industry_above_scale …")


@click.group("statistics")
def statistics_group() -> None:
    """Published and reported statistics (统计数据)."""


@statistics_group.command("variables")
@database_option
@click.argument("word", required=False)
def variables_command(database: str, word: str | None) -> None:
    """List what statistics may measure, all of it or what contains WORD (列出统计指标)."""
    from warehouse.postgres import connect
    from warehouse.statistics.store import variables
    from warehouse.table import aligned

    with connect(database, application="g60 statistics") as connection:
        found = variables(connection)
    rows = [
        (one.variable, one.name_zh, one.kind, one.units, one.scopes, one.price_bases)
        for one in found
        if word is None or word in f"{one.variable} {one.name_zh} {one.name_en}"
    ]
    for line in aligned(
        ("variable 指标", "name 名称", "kind 类型", "units 单位", "scopes 范围", "prices 价格口径"), rows
    ):
        click.echo(line)


@statistics_group.command("show")
@database_option
@click.argument("variable")
@subject_option
@click.option("--period", "period_text", help="2025-03, 2025-01..02, 2025-Q1, 2025 …; by default all.")
@scope_option
@as_of_option
@known_option
@click.option("--all", "everything", is_flag=True, help="Every vintage, not only the one that counts.")
def show_command(
    database: str,
    variable: str,
    subject: str | None,
    period_text: str | None,
    scope: str | None,
    as_of: datetime | None,
    known_on: datetime | None,
    *,
    everything: bool,
) -> None:
    """Show what counts of a VARIABLE, and with --all every vintage behind it (查询统计数据)."""
    from warehouse.period import parse_period
    from warehouse.postgres import connect
    from warehouse.statistics.store import known, values
    from warehouse.table import aligned

    period = None if period_text is None else parse_period(period_text).text
    with connect(database, application="g60 statistics") as connection:
        one = known(connection, variable)
        found = values(
            connection,
            one.variable,
            subject=subject,
            period=period,
            published_by=_day(as_of),
            known_at=known_on,
        )
    click.echo(f"{one.variable} {one.name_zh} ({one.kind})" + (f": {one.note}" if one.note else ""))
    chosen = [row for row in found if (everything or row.counts) and scope in (None, row.scope)]
    if not chosen:
        raise click.ClickException("nothing of it was published or known then (当时没有数据)")
    heads = (
        "subject 对象",
        "period 时期",
        "value 数值",
        "unit",
        "scope 范围",
        "prices",
        "vintage",
        "published",
        "basis",
        "source",
    )
    for line in aligned((*heads, ""), [_row(row, everything=everything) for row in chosen]):
        click.echo(line)


@statistics_group.command("chain")
@database_option
@click.argument("variable")
@click.option("--subject", required=True, help="Area (310117) or 统一社会信用代码.")
@click.option("--years", required=True, metavar="2021-2025", help="First and last year.")
@click.option("--scope", required=True, help="Population: industry_above_scale …")
@as_of_option
@known_option
def chain_command(
    database: str,
    variable: str,
    subject: str,
    years: str,
    scope: str,
    as_of: datetime | None,
    known_on: datetime | None,
) -> None:
    """Multiply the yearly changes of a VARIABLE over years (年度增速连乘)."""
    from fractions import Fraction

    from warehouse.consumption.terms import shown
    from warehouse.postgres import connect
    from warehouse.statistics.series import chained
    from warehouse.statistics.store import known, values

    first, _, last = years.partition("-")
    if not (first.isdecimal() and last.isdecimal() and len(first) == len(last) == 4 and first <= last):
        raise click.BadParameter(f"{years!r} is no range of years like 2021-2025 (年份范围有误)")
    wanted = [f"{year}" for year in range(int(first), int(last) + 1)]
    with connect(database, application="g60 statistics") as connection:
        one = known(connection, variable)
        found = values(connection, one.variable, subject=subject, published_by=_day(as_of), known_at=known_on)
    rows = [row for row in found if row.counts and row.scope == scope and row.period in wanted]
    missing = sorted(set(wanted) - {row.period for row in rows})
    if missing:
        raise click.ClickException(f"no change of {', '.join(missing)} (缺少年度)")
    product = chained(rows)
    for row in rows:
        click.echo(f"{row.period}  {shown(Fraction(row.value))} %  {row.price_basis}  {row.vintage} {row.published_at}")
    click.echo(f"{one.name_zh}: {shown((product - 1) * 100, 4)} % in all (累计), {first}–{last}")


def _day(as_of: datetime | None) -> date | None:
    return None if as_of is None else as_of.date()


def _row(row: Value, *, everything: bool) -> tuple[object, ...]:
    counts = "counts (采用)" if everything and row.counts else ""
    return (
        row.subject,
        row.period,
        f"{row.value:f}",
        row.unit,
        row.scope,
        row.price_basis,
        row.vintage,
        row.published_at,
        row.legal_basis,
        row.source,
        counts,
    )
