"""`g60 metrics …`: the commands of the indicators. Heavy modules are imported inside the commands."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import click

from edge_agent.contract.errors import PulseError
from warehouse.people.commands import key_group, user_group

_DATABASE: Final = click.option(
    "--database",
    envvar="G60_DATABASE",
    required=True,
    metavar="DSN",
    help="Where the warehouse is, as a libpq connection string.",
)
_AS_OF: Final = click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d"]),
    help="As known then; a day means its end in Shanghai.",
)
_PERIOD: Final = click.option("--period", help="2025, 2025-12 …; by default the last that is over.")


class _Commands(click.Group):
    """Tells the project's own errors as one message, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PulseError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Commands, name="metrics")
def cli() -> None:
    """Indicators of the district's plans (规划指标)."""


cli.add_command(user_group)
cli.add_command(key_group)


@cli.command("run")
@_DATABASE
@click.option("--indicator", "indicators", multiple=True, help="Only this one; may be repeated.")
@_PERIOD
@_AS_OF
def run_command(database: str, indicators: tuple[str, ...], period: str | None, as_of: datetime | None) -> None:
    """Compute indicators; a version is added where something differs (计算指标)."""
    from metrics.entries import load_catalogue
    from metrics.run import run
    from warehouse.postgres import connect

    with connect(database, application="g60 metrics run") as connection:
        outcomes = run(connection, load_catalogue(), indicators=indicators, period=period, as_of=_moment(as_of))
    for outcome in outcomes:
        if outcome.draft is None or outcome.stored is None:
            click.echo(f"{outcome.indicator} {outcome.period}: skipped, {outcome.skipped}")
            continue
        content, stored = outcome.draft.content, outcome.stored
        told = "unchanged" if not stored.added else f"added ({', '.join(stored.changed) or 'first'})"
        click.echo(f"{outcome.indicator} {outcome.period}: {content.status}, version {stored.version} {told}")
        if content.status_reason:
            click.echo(f"  {content.status_reason}\n  {content.status_reason_zh}", err=True)


@cli.command("show")
@_DATABASE
@click.option("--indicator", help="Only this one.")
@_PERIOD
@_AS_OF
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Language of the table.")
@click.option("--json", "as_json", is_flag=True, help="Everything, exact, as JSON.")
def show_command(
    database: str, indicator: str | None, period: str | None, as_of: datetime | None, lang: str, *, as_json: bool
) -> None:
    """Show results as they stand, or stood; of one indicator also target, pace, base and trend (查看指标)."""
    import json

    from metrics.explain import explain
    from metrics.show import plain, table
    from warehouse.indicators.results import results
    from warehouse.postgres import connect

    with connect(database, application="g60 metrics show") as connection:
        rows = results(connection, indicator=indicator, period=period, as_of=_moment(as_of))
    if as_json:
        click.echo(json.dumps([plain(row) for row in rows], ensure_ascii=False, indent=2))
        return
    for line in table(rows, chinese=lang == "zh"):
        click.echo(line)
    if indicator is not None and rows:
        click.echo()
        for line in explain(rows, chinese=lang == "zh"):
            click.echo(line)


@cli.command("evidence")
@_DATABASE
@click.argument("indicator")
@_PERIOD
@_AS_OF
@click.option(
    "--counted",
    type=click.Choice(["numerator", "denominator", "apart", "excluded"]),
    help="Only those that stand there.",
)
def evidence_command(
    database: str, indicator: str, period: str | None, as_of: datetime | None, counted: str | None
) -> None:
    """Print who is counted in the newest result of INDICATOR, who is not, and why, as CSV (指标明细)."""
    import csv
    import sys

    from warehouse.indicators.results import evidence, results
    from warehouse.postgres import connect

    with connect(database, application="g60 metrics evidence") as connection:
        rows = results(connection, indicator=indicator, period=period, as_of=_moment(as_of))
        if not rows or rows[0]["evidence_digest"] is None:
            raise click.ClickException(f"no evidence for {indicator} (没有明细)")
        members = evidence(connection, rows[0]["evidence_digest"], counted)
    # Returns of single enterprises serve statistics only; what rests on them is not listed by name.
    shown = [member for member in members if member["legal_basis"] != "statistical"]
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("member", "counted", "reason", "since", "amount", "weight", "source", "legal_basis"))
    writer.writerows(
        [member[name] for name in ("member", "counted", "reason", "since", "amount", "weight", "source", "legal_basis")]
        for member in shown
    )
    if len(shown) < len(members):
        click.echo(f"{len(members) - len(shown)} members rest on statistical returns and are not listed", err=True)


def _moment(given: datetime | None) -> datetime | None:
    """Return an aware time; a bare day means its end in Shanghai."""
    if given is None or given.tzinfo is not None:
        return given
    from datetime import timedelta

    from warehouse.times import SHANGHAI

    return (given.replace(tzinfo=SHANGHAI) + timedelta(days=1)).astimezone(UTC)
