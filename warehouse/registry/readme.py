"""Writes this folder's README.md from the tables: ``python -m warehouse.registry.readme``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from warehouse.registry.tables import TABLES, Table

PATH: Final = Path(__file__).parent / "README.md"

_HEAD: Final = """\
# Files the registry is loaded from

`g60 warehouse load PATH [--dry-run] [--report refused.csv]` takes a file, or the files of a folder, any of them, all or
nothing: one wrong cell and nothing is loaded; the report names file, sheet, row, column, what was found and what is
allowed. `g60 warehouse template TABLE` writes a blank. For the office: [docs/imports.md](../../docs/imports.md).

CSV (UTF-8 or GB18030) or `.xlsx`, with a header of the names below, English or Chinese, in any order; the file or sheet
bears the name of the table. Columns marked ○ may be
empty, or left out when all cells are. Loading again is safe: equal rows do nothing, a row with the same **key** and
other values replaces it (the registry remembers what it knew before), rows that are not in the file stay. Ranges
`valid_from … valid_to` of one key must not overlap; `valid_to` is the first day that no longer belongs. Enterprises
need no row of their own: one that only a roster names is known by its code.

`reference/` holds the district's areas, the plan's clusters and platforms, kinds of energy and factors, Shanghai's time
of use, the thresholds of size, with their sources: `g60 warehouse load --reference`.

This page is made from `tables/`: `python -m warehouse.registry.readme`.
"""


def readme() -> str:
    """Return the documentation of the files."""
    return _HEAD + "".join(_section(table) for table in TABLES)


def _section(table: Table) -> str:
    names = {"subject": "region or uscc"} | {column.target: column.name for column in table.columns}
    key = ", ".join(names.get(name, name) for name in table.key)
    rows = "".join(
        f"| {column.name}{' ○' if column.optional else ''} | {column.zh} "
        f"| {column.cell.allowed.replace('|', chr(92) + '|')} "
        f"| {f'`{column.example}`' if column.example else ''} | {column.note} |\n"
        for column in table.columns
    )
    return (
        f"\n## {table.file} ({table.zh})\n\n"
        f"{table.what[0].upper()}{table.what[1:]}. Into `{table.target}`. Key: {key}.\n\n"
        f"| column | 列名 | allowed | example | |\n|---|---|---|---|---|\n{rows}"
    )


if __name__ == "__main__":
    PATH.write_text(readme(), "utf-8")
    sys.stdout.write(f"{PATH.name} written\n")
