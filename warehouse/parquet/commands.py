"""`g60 warehouse export` and `import-parquet`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from warehouse.options import database_option

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command("export")
@database_option
@click.argument("tables", nargs=-1, required=True)
@click.option("--to", "folder", type=click.Path(path_type=Path), required=True, help="Folder of the files.")
@click.option("--from", "from_", type=_DAY, help="From this day of Asia/Shanghai on.")
@click.option("--until", type=_DAY, help="Before this day of Asia/Shanghai.")
@click.option("--period", help="A day, month, quarter or year: 2025-05-31, 2025-05, 2025-Q2, 2025.")
@click.option("--again", is_flag=True, help="Write also months that are complete in the folder.")
def export_command(
    database: str,
    tables: tuple[str, ...],
    folder: Path,
    from_: datetime | None,
    until: datetime | None,
    period: str | None,
    *,
    again: bool,
) -> None:
    """Write tables and views to Parquet files, one a month (导出为 Parquet 文件).

    TABLES are names (registry.meter) or patterns (energy.*, '*'); a pattern takes no views.
    """
    from warehouse.parquet.export import Told, Wanted, export
    from warehouse.parquet.months import Span
    from warehouse.period import parse_period
    from warehouse.postgres import connect

    if period is not None and (from_ or until):
        raise click.UsageError("give --period, or --from and --until (二者选一)")
    if period is not None:
        days = parse_period(period)
        span = Span(days.start, days.end)
    else:
        span = Span(from_.date() if from_ else None, until.date() if until else None)
    if span.first is not None and span.end is not None and span.first >= span.end:
        raise click.UsageError("--from is not before --until (起始日须早于结束日)")

    def tell(told: Told) -> None:
        click.echo(f"{'written' if told.written else 'complete'} {told.path} rows={told.rows}")

    with connect(database, application="g60 export") as connection:
        export(connection, folder, Wanted(tables, span, again), tell)


@click.command("import-parquet")
@database_option
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--table", "tables", multiple=True, help="Only this table, or those of this pattern.")
@click.option(
    "--differing",
    type=click.Choice(["refuse", "replace"]),
    default="refuse",
    show_default=True,
    help="What becomes of a row that stands in the database with other values.",
)
@click.option("--dry-run", is_flag=True, help="Say what would happen and change nothing.")
def import_command(database: str, folder: Path, tables: tuple[str, ...], differing: str, *, dry_run: bool) -> None:
    """Bring exported Parquet files back into tables, each whole or not at all (导入 Parquet 文件)."""
    from warehouse.parquet.load import load
    from warehouse.postgres import connect

    refused = 0
    with connect(database, application="g60 import") as connection:
        for table in load(connection, folder, tables, replace=differing == "replace", dry_run=dry_run):
            if table.refusals:
                refused += 1
                click.echo(f"refused (已拒绝) {table.table}")
                for told in table.refusals:
                    click.echo(f"  {told}")
                continue
            word = "would be new" if dry_run else "new (新增)"
            click.echo(f"{table.table}: {word} {table.new}, same (相同) {table.same}, replaced (替换) {table.replaced}")
    if refused:
        raise click.ClickException(f"{refused} tables were refused; nothing of them was written (被拒绝的表未写入)")
