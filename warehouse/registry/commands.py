"""``g60 warehouse load`` and ``template``: files of offices into the registry, and the blanks to fill in."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from warehouse.options import database_option

SHOWN: Final = 100
"""Refusals that are printed; the report has them all."""


@click.command("load")
@database_option
@click.argument("path", type=click.Path(path_type=Path), required=False)
@click.option("--reference", is_flag=True, help="Load the data that comes with the program instead.")
@click.option("--table", "table_name", metavar="TABLE", help="What the file is, when its name does not say it.")
@click.option("--legal-basis", help="Legal basis (法律依据) of files without that column.")
@click.option("--source", help="Source (来源) of files without that column.")
@click.option("--valid-from", metavar="YYYY-MM-DD", help="First day (起始日) of files without that column.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write every refusal to this CSV file.")
@click.option("--dry-run", is_flag=True, help="Check everything and load nothing.")
def load_command(
    database: str,
    path: Path | None,
    *,
    reference: bool,
    table_name: str | None,
    legal_basis: str | None,
    source: str | None,
    valid_from: str | None,
    report: Path | None,
    dry_run: bool,
) -> None:
    """Load a file, or a folder of CSV files and workbooks, into the registry, all or nothing (导入基础数据)."""
    from warehouse.postgres import connect
    from warehouse.registry.load import REFERENCE, load
    from warehouse.registry.refusal import write_report
    from warehouse.registry.tables import known

    if (path is None) != reference:
        raise click.UsageError("name a file or folder, or --reference (请指定文件、文件夹或 --reference)")
    given = {"legal_basis": legal_basis, "source": source, "valid_from": valid_from}
    with connect(database, application="g60 load") as connection:
        found = load(
            connection,
            path or REFERENCE,
            table=None if table_name is None else known(table_name),
            given={name: text for name, text in given.items() if text is not None},
            dry_run=dry_run,
            progress=lambda name, rows: click.echo(f"{name}: {rows} rows read (已读)", err=True),
        )
    if report is not None:
        write_report(report, found.refused)
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    for refusal in found.refused[:SHOWN]:
        click.echo(str(refusal), err=True)
    if found.refused:
        more = len(found.refused) - SHOWN
        rest = f", {more} of them not shown: use --report FILE (其余见报告)" if more > 0 else ""
        raise click.ClickException(f"{len(found.refused)} refused, nothing loaded (有误，未导入){rest}")
    for file in found.files:
        click.echo(f"{file.file}: {file.added} added, {file.changed} changed, {file.unchanged} unchanged")
    if dry_run:
        click.echo("dry run: nothing loaded (试运行，未导入)")


@click.command("template")
@click.argument("table_name", metavar="TABLE", required=False)
@click.option("--format", "kind", type=click.Choice(["csv", "xlsx"]), help="By default what --output ends in, or xlsx.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="By default TABLE.xlsx or TABLE.csv.")
def template_command(table_name: str | None, kind: str | None, output: Path | None) -> None:
    """Write the blank of a TABLE to fill in; without TABLE, list them (生成填报模板)."""
    from warehouse.registry.tables import TABLES, known
    from warehouse.registry.template import as_csv, as_xlsx

    if table_name is None:
        for table in TABLES:
            click.echo(f"{table.name}  {table.zh}")
        return
    table = known(table_name)
    kind = kind or (output.suffix.lower().lstrip(".") if output is not None else "xlsx")
    if kind not in ("csv", "xlsx"):
        raise click.UsageError(f"--output {output}: .csv or .xlsx (后缀须为 .csv 或 .xlsx)")
    path = output or Path(f"{table.name}.{kind}")
    try:
        with path.open("xb") as file:
            file.write(as_csv(table) if kind == "csv" else as_xlsx(table))
    except FileExistsError as error:
        raise click.ClickException(f"{path} exists; it may be filled in already (文件已存在)") from error
    click.echo(f"{path}: {table.zh}")
