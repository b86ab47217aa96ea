"""`g60 warehouse refused …`."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

import click

from warehouse.options import database_option, moment_or_ago

if TYPE_CHECKING:
    from warehouse.refused.which import Which

gateway_option = click.option("--gateway", help="Only this gateway.")
reason_option = click.option("--reason", help="Only this reason.")
since_option = click.option(
    "--since", type=moment_or_ago, help="Refused from this moment on: ISO 8601 with its zone, or how long ago (PT12H)."
)
what_option = click.option(
    "--messages/--readings", "messages", default=None, help="Only whole messages, or only single readings."
)
all_option = click.option("--all", "settled", is_flag=True, help="Also what was stored after all.")


@click.group("refused")
def refused_group() -> None:
    """What was refused, and why, and storing it after all (拒收记录)."""


@refused_group.command("list")
@database_option
@gateway_option
@reason_option
@since_option
@what_option
@all_option
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Newest first.")
def list_command(
    database: str,
    gateway: str | None,
    reason: str | None,
    since: datetime | None,
    messages: bool | None,
    limit: int,
    *,
    settled: bool,
) -> None:
    """List refused messages and readings that wait, newest first (列出拒收记录)."""
    from warehouse.postgres import connect
    from warehouse.refused.listing import refused_table

    with connect(database, application="g60 refused") as connection:
        for line in refused_table(connection, _which(gateway, reason, since, messages, settled=settled), limit):
            click.echo(line)


@refused_group.command("count")
@database_option
@gateway_option
@reason_option
@since_option
@what_option
@all_option
def count_command(
    database: str,
    gateway: str | None,
    reason: str | None,
    since: datetime | None,
    messages: bool | None,
    *,
    settled: bool,
) -> None:
    """Count refused messages and readings by reason and gateway (按原因和网关统计)."""
    from warehouse.postgres import connect
    from warehouse.refused.listing import count_table

    with connect(database, application="g60 refused") as connection:
        for line in count_table(connection, _which(gateway, reason, since, messages, settled=settled)):
            click.echo(line)


@refused_group.command("show")
@database_option
@click.argument("name")
@click.option("--raw", "only_bytes", is_flag=True, help="Write the message's original bytes to standard output.")
def show_command(database: str, name: str, *, only_bytes: bool) -> None:
    """Show one refusal by the NAME that the list gives it: m12, r7, or topic-partition@offset (查看拒收内容)."""
    from warehouse.postgres import connect
    from warehouse.refused.show import name_of, raw, show

    with connect(database, application="g60 refused") as connection:
        if only_bytes:
            sys.stdout.buffer.write(raw(connection, name_of(name)))
            return
        for line in show(connection, name_of(name)):
            click.echo(line)


@refused_group.command("replay")
@database_option
@click.argument("name", required=False)
@gateway_option
@reason_option
@since_option
@what_option
@click.option("--dry-run", is_flag=True, help="Say what would be stored and change nothing.")
def replay_command(
    database: str,
    name: str | None,
    gateway: str | None,
    reason: str | None,
    since: datetime | None,
    messages: bool | None,
    *,
    dry_run: bool,
) -> None:
    """Judge refused messages, or with --readings single readings, again, and store what is good now (重放).

    With a NAME (m12, r7) only that one. Safe to repeat, and beside a running sink.
    """
    from warehouse.postgres import connect
    from warehouse.refused.readings import replay_readings
    from warehouse.refused.replay import replay
    from warehouse.refused.show import name_of

    named = None if name is None else name_of(name)
    if named is not None and named.topic is not None:
        raise click.UsageError("name it by its id, like m12 (请用编号指定)")
    which = _which(gateway, reason, since, None, settled=False)
    with connect(database, application="g60 replay") as connection:
        if messages is False or (named is not None and named.rejected_id is not None):
            rejected_id = None if named is None else named.rejected_id
            found = replay_readings(connection, which, rejected_id=rejected_id, dry_run=dry_run)
        else:
            letter_id = None if named is None else named.letter_id
            found = replay(connection, which, letter_id=letter_id, dry_run=dry_run)
    click.echo(f"{'would be stored' if dry_run else 'stored'} (入库): {_counted(found.stored)}")
    click.echo(f"still refused (仍拒收): {_counted(found.still)}")


def _which(
    gateway: str | None, reason: str | None, since: datetime | None, messages: bool | None, *, settled: bool
) -> Which:
    from warehouse.refused.which import What, Which

    what = None if messages is None else What.MESSAGE if messages else What.READING
    return Which(gateway, reason, since, what, settled)


def _counted(counts: Counter[str]) -> str:
    total = sum(counts.values())
    by_reason = ", ".join(f"{reason} {count}" for reason, count in sorted(counts.items()))
    return f"{total}{' (' + by_reason + ')' if by_reason else ''}"
