"""`g60 warehouse clock …`."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from warehouse.options import database_option, duration, moment

_LAST_MS = (1 << 53) - 1

gateway_option = click.option("--gateway", help="Only this gateway.")
limit_option = click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most.")


@click.group("clock")
def clock_group() -> None:
    """Clocks of gateways, and readings with a wrong time (网关时钟)."""


@clock_group.command("list")
@database_option
@gateway_option
@click.option("--all", "ended", is_flag=True, help="Also clocks that are right again.")
@limit_option
def list_command(database: str, gateway: str | None, limit: int, *, ended: bool) -> None:
    """Show which clocks are wrong, by how much and since when (列出时钟故障)."""
    from warehouse.clock.listing import fault_table
    from warehouse.postgres import connect

    with connect(database, application="g60 clock") as connection:
        for line in fault_table(connection, gateway, ended=ended, limit=limit):
            click.echo(line)


@clock_group.command("aside")
@database_option
@click.option("--gateway", required=True, help="The gateway.")
@click.option("--from", "from_", type=moment, help="From this time on, as the gateway's clock had it.")
@click.option("--to", type=moment, help="Before this time.")
def aside_command(database: str, gateway: str, from_: datetime | None, to: datetime | None) -> None:
    """Show what of a gateway waits for a right time, by place and epoch (待修复的读数)."""
    from warehouse.clock.listing import aside_table
    from warehouse.postgres import connect

    with connect(database, application="g60 clock") as connection:
        for line in aside_table(connection, gateway, _ms(from_, 0), _ms(to, _LAST_MS)):
            click.echo(line)


@clock_group.command("repair")
@database_option
@click.option("--gateway", required=True, help="The gateway.")
@click.option("--from", "from_", type=moment, required=True, help="From this time on, as the gateway's clock had it.")
@click.option("--to", type=moment, required=True, help="Before this time.")
@click.option("--arrived-from", type=moment, help="Only what arrived from this moment on.")
@click.option("--arrived-to", type=moment, help="Only what arrived before this moment.")
@click.option("--shift", "shift", type=duration, help="Add this to their times: ISO 8601, like +P9125DT8H or -PT1H.")
@click.option("--shift-ms", type=int, help="The same in milliseconds.")
@click.option("--fault", "fault_id", type=int, help="Add what puts this measured fault right (see clock list).")
@click.option("--reason", help="Why, for the record; needed unless it is a dry run.")
@click.option("--by", help="Who, for the record; by default the database user.")
@click.option("--dry-run", is_flag=True, help="Say how many readings would be moved and change nothing.")
def repair_command(
    database: str,
    gateway: str,
    from_: datetime,
    to: datetime,
    arrived_from: datetime | None,
    arrived_to: datetime | None,
    shift: int | None,
    shift_ms: int | None,
    fault_id: int | None,
    reason: str | None,
    by: str | None,
    *,
    dry_run: bool,
) -> None:
    """Move a gateway's readings with a wrong time by one shift (批量修正时间).

    Concerns what waits only: readings refused for their time, and those stored as read by a clock that was not set.
    """
    from warehouse.clock.aside import Span
    from warehouse.clock.repair import Word, repair, shift_of
    from warehouse.postgres import connect

    if sum(given is not None for given in (shift, shift_ms, fault_id)) != 1:
        raise click.UsageError("give one of --shift, --shift-ms, --fault (三者选一)")
    if not dry_run and not (reason or "").strip():
        raise click.UsageError("say why with --reason (请用 --reason 说明原因)")
    if from_ >= to:
        raise click.UsageError("--from is not before --to (起始时间须早于结束时间)")
    span = Span(gateway, _ms(from_, 0), _ms(to, 0), arrived_from, arrived_to)
    with connect(database, application="g60 clock repair") as connection:
        by_ms = shift if shift is not None else shift_ms
        if fault_id is not None:
            by_ms = shift_of(connection, gateway, fault_id)
        found = repair(connection, span, by_ms or 0, Word((reason or "").strip(), by, fault_id), dry_run=dry_run)
    parts = ", ".join(f"{origin} {count}" for origin, count in sorted(found.moved.items()))
    total = sum(found.moved.values())
    click.echo(f"{'would be moved' if dry_run else 'moved'} (已移动): {total}{f' ({parts})' if parts else ''}")
    if found.impossible:
        click.echo(f"left alone, their new time is impossible (新时间不合理): {found.impossible}")
    if found.repair_id is not None:
        click.echo(f"repair {found.repair_id}; to take it back (撤销): g60 warehouse clock undo {found.repair_id}")


@clock_group.command("repairs")
@database_option
@gateway_option
@limit_option
def repairs_command(database: str, gateway: str | None, limit: int) -> None:
    """List repairs, newest first (列出修复记录)."""
    from warehouse.clock.listing import repair_table
    from warehouse.postgres import connect

    with connect(database, application="g60 clock") as connection:
        for line in repair_table(connection, gateway, limit):
            click.echo(line)


@clock_group.command("undo")
@database_option
@click.argument("repair_id", type=int)
@click.option("--by", help="Who, for the record; by default the database user.")
def undo_command(database: str, repair_id: int, by: str | None) -> None:
    """Take a repair back (撤销修复)."""
    from warehouse.clock.repair import undo
    from warehouse.postgres import connect

    with connect(database, application="g60 clock repair") as connection:
        click.echo(f"moved back (已恢复): {undo(connection, repair_id, by)}")


def _ms(at: datetime | None, otherwise: int) -> int:
    if at is None:
        return otherwise
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    delta = at - epoch
    return delta.days * 86_400_000 + delta.seconds * 1_000 + delta.microseconds // 1_000
