"""`g60 warehouse retention …`. Heavy modules are imported inside the commands."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from warehouse.options import database_option

by_option = click.option("--by", required=True, help="Who decided.")
document_option = click.option("--document", required=True, help="By what: a decision, a decree, a contract.")


@click.group("retention")
def retention_group() -> None:
    """What readings are compressed and how long they are kept (保留与压缩)."""


@retention_group.command("plan")
@database_option
def plan_command(database: str) -> None:
    """Show the rules, what would be compressed or dropped, and what speaks against it; change nothing (预览)."""
    from warehouse.postgres import connect
    from warehouse.retention.listing import plan_lines

    with connect(database, application="g60 retention") as connection:
        for line in plan_lines(connection, datetime.now(UTC)):
            click.echo(line)


@retention_group.command("run")
@database_option
def run_command(database: str) -> None:
    """Compress and drop what the rules allow, as the jobs do every minute (执行)."""
    from warehouse.postgres import connect
    from warehouse.retention.job import run

    with connect(database, application="g60 retention") as connection:
        done = run(connection, datetime.now(UTC), all_again=True)
    if done is None:
        raise click.ClickException("another run is at work (另一个任务正在执行)")
    click.echo(
        f"{done.compressed} pieces compressed ({done.saved} bytes freed), {done.dropped} dropped "
        f"({done.readings} readings), {done.refused} stay for a reason (see plan), {done.failed} were locked"
    )


@retention_group.command("set")
@database_option
@click.argument("reading", metavar="TABLE")
@click.option("--keep-days", type=int, help="Drop a piece so many days after its end; 62 at least.")
@click.option("--keep-for-ever", is_flag=True, help="Never drop anything of it, as in the beginning.")
@click.option("--compress-after-days", type=int, help="Compress a piece so many days after its end.")
@by_option
@document_option
def set_command(
    database: str,
    reading: str,
    keep_days: int | None,
    compress_after_days: int | None,
    by: str,
    document: str,
    *,
    keep_for_ever: bool,
) -> None:
    """Set how a reading table is kept: reading_gauge, reading_register or reading_state (设定规则)."""
    from warehouse.postgres import connect
    from warehouse.retention.decide import Word, compress_after, keep

    if keep_for_ever and keep_days is not None:
        raise click.UsageError("--keep-days and --keep-for-ever exclude each other")
    if not keep_for_ever and keep_days is None and compress_after_days is None:
        raise click.UsageError("nothing to set")
    word = Word(by, document)
    with connect(database, application="g60 retention") as connection:
        if keep_for_ever or keep_days is not None:
            keep(connection, reading, keep_days, word)
        if compress_after_days is not None:
            compress_after(connection, reading, compress_after_days, word)


@retention_group.command("finalise")
@database_option
@click.argument("through", type=click.DateTime(["%Y-%m-%d"]))
@by_option
@document_option
def finalise_command(database: str, through: datetime, by: str, document: str) -> None:
    """Record that figures through a day (of Asia/Shanghai) are final, so that its readings may go (定稿)."""
    from warehouse.postgres import connect
    from warehouse.retention.decide import Word, finalise

    with connect(database, application="g60 retention") as connection:
        finalise(connection, through.date(), Word(by, document))
    click.echo(f"final through {through.date()} (已定稿)")
