"""`g60 warehouse backup` and `restore`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from warehouse.options import database_option

jobs_option = click.option(
    "--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="Tables at the same time."
)


@click.command("backup")
@database_option
@click.option("--to", "folder", type=click.Path(path_type=Path), required=True, help="New folder for this backup.")
@jobs_option
def backup_command(database: str, folder: Path, jobs: int) -> None:
    """Write a backup with the figures that prove a restore (备份)."""
    from warehouse.backup.run import backup

    archive = backup(database, folder, jobs=jobs)
    rows = sum(table.rows for table in archive.figures.tables.values())
    size = sum(file.size_bytes for file in archive.files)
    click.echo(f"{folder}: {len(archive.figures.tables)} tables, {rows} rows, {size} bytes, as of {archive.taken_at}")


@click.command("restore")
@database_option
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@jobs_option
@click.option("--verify/--no-verify", default=True, show_default=True, help="Read every row and compare the figures.")
def restore_command(database: str, folder: Path, jobs: int, *, verify: bool) -> None:
    """Bring a backup into an EMPTY database and prove that it is whole (恢复)."""
    from warehouse.backup.run import restore

    done = restore(database, folder, jobs=jobs, verify=verify)
    taken_at = done.archive.taken_at
    hours = (datetime.now(UTC) - taken_at).total_seconds() / 3_600
    if done.differences:
        for difference in done.differences:
            click.echo(f"  {difference}")
        raise click.ClickException("the database is not what was backed up (恢复结果与备份不一致)")
    rows = sum(table.rows for table in done.archive.figures.tables.values())
    word = "not verified (未校验)" if done.differences is None else "verified (已校验)"
    click.echo(f"restored: {len(done.archive.figures.tables)} tables, {rows} rows, {word}")
    if done.roles:
        click.echo(f"made, without log-in (新建角色，不能登录): {', '.join(done.roles)}")
        click.echo("give people their access back: g60 warehouse access renew, then access password ROLE")
    click.echo(f"window: the backup is of {taken_at}, {hours:.1f} h ago. What was stored since then is not in it;")
    click.echo("  the sink reads it again from Kafka, as far as Kafka still has it (72 h by default).")
    click.echo("  时间窗口：备份之后入库的数据须由 Kafka 重放；Kafka 已删除的部分无法找回，见 docs/backup.md。")
    for offset in done.archive.figures.offsets:
        click.echo(f"  {offset.topic}-{offset.partition}: goes on at {offset.next_offset}")
