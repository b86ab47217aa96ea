"""``g60 warehouse energy consumption`` and ``balance``. Heavy modules are imported inside the commands."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import click

from warehouse.consumption.carbon import Profile
from warehouse.consumption.deductions import Rule
from warehouse.consumption.terms import Basis
from warehouse.options import database_option, moment


def _exact(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except ArithmeticError:
        found = Decimal("NaN")
    if not found.is_finite() or found < 0:
        raise click.BadParameter(f"{text!r} is no number ≥ 0 (须为不小于0的数字)")
    return found


@click.command("consumption")
@database_option
@click.option("--enterprise", required=True, metavar="USCC", help="统一社会信用代码.")
@click.option("--period", "period_text", required=True, help="2025-05, 2025-01..09, 2025-Q1, 2025 …")
@click.option("--reported", is_flag=True, help="From what it reported, not from its boundary meters.")
@click.option("--factor-set", default="songjiang", show_default=True)
@click.option("--factor-version", type=click.IntRange(1), help="By default the latest.")
@click.option(
    "--basis", type=click.Choice([one.value for one in Basis]), default=Basis.CALORIFIC.value, show_default=True
)
@click.option("--working-media/--no-working-media", "media", default=False, show_default=True, help="耗能工质.")
@click.option("--transport/--no-transport", default=True, show_default=True, help="厂内运输.")
@click.option("--conversion/--no-conversion", default=True, show_default=True, help="加工转换.")
@click.option(
    "--deduction",
    type=click.Choice([one.value for one in Rule]),
    default=Rule.NONE.value,
    show_default=True,
    help="Shown beside the account, never inside it.",
)
@click.option("--required-saving", type=_exact, metavar="TCE", help="For non_fossil_2024: 应节能量.")
@click.option("--carbon", type=click.Choice([one.value for one in Profile]), help="Carbon beside it.")
@click.option("--value-added", type=_exact, metavar="万元", help="Also give tce per 万元.")
@click.option("--as-of", type=moment, help="As it was known then; by default now.")
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True)
def consumption_command(
    database: str,
    enterprise: str,
    period_text: str,
    factor_set: str,
    factor_version: int | None,
    basis: str,
    deduction: str,
    required_saving: Decimal | None,
    carbon: str | None,
    value_added: Decimal | None,
    as_of: datetime | None,
    lang: str,
    *,
    reported: bool,
    media: bool,
    transport: bool,
    conversion: bool,
) -> None:
    """Print 综合能源消费量 of an enterprise line by line (综合能源消费量).

    Exit code 1 when anything of it is missing or refused.
    """
    from fractions import Fraction

    from warehouse.consumption.account import intensity
    from warehouse.consumption.enterprise import Wanted, find
    from warehouse.consumption.show import lines
    from warehouse.consumption.terms import Rules, shown
    from warehouse.period import parse_period
    from warehouse.postgres import connect

    wanted = Wanted(
        Rules(Basis(basis), media, transport, conversion),
        Rule(deduction),
        None if required_saving is None else Fraction(required_saving),
        None if carbon is None else Profile(carbon),
    )
    with connect(database, application="g60 energy consumption") as connection:
        found = find(
            connection,
            enterprise,
            parse_period(period_text),
            wanted,
            factor_set=factor_set,
            version=factor_version,
            as_of=as_of or datetime.now(UTC),
            reported=reported,
        )
    for line in lines(found, chinese=lang == "zh"):
        click.echo(line)
    tce = found.account.tce
    if value_added is not None and tce is not None:
        per = intensity(tce, Fraction(value_added))
        click.echo(f"{shown(per, 5) if per is not None else '–'} tce/万元")
    if tce is None or found.deduction.tce is None:
        raise SystemExit(1)


@click.command("balance")
@database_option
@click.option("--period", "period_text", required=True, help="2025-05, 2025-05-14, 2025 …")
@click.option("--meter", "serial", metavar="SERIAL", help="Only this meter against those below it.")
@click.option("--above", type=_exact, default="5", show_default=True, metavar="PERCENT", help="What is flagged.")
@click.option("--all", "everything", is_flag=True, help="Also the days that are in order.")
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True)
def balance_command(
    database: str, period_text: str, serial: str | None, above: Decimal, lang: str, *, everything: bool
) -> None:
    """Compare meters with the meters below them, by day (能源平衡)."""
    from warehouse.consumption.balance import balances, lines
    from warehouse.period import parse_period
    from warehouse.postgres import connect

    with connect(database, application="g60 energy balance") as connection:
        found = balances(connection, parse_period(period_text), serial)
    for line in lines(found, above, everything=everything, chinese=lang == "zh"):
        click.echo(line)
