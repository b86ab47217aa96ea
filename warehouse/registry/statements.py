"""SQL of the loader, composed from a table's description: every file goes through the same four statements."""

from __future__ import annotations

from typing import Final

from psycopg import sql

from warehouse.registry.tables import Span, Table

STAGED: Final = sql.Identifier("pg_temp", "staged")


def _names(columns: tuple[str, ...], of: str | None = None) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(of, name) if of else sql.Identifier(name) for name in columns)


def _target(table: Table) -> sql.Identifier:
    return sql.Identifier(*table.target.split("."))


def _same(table: Table, columns: tuple[str, ...], left: str, right: str) -> sql.Composed:
    # A null is a value here (the uscc of a factor that is nobody's own); "=" keeps hash joins where it cannot occur.
    return sql.SQL(" AND ").join(
        sql.SQL("{} IS NOT DISTINCT FROM {}" if name in table.nullable else "{} = {}").format(
            sql.Identifier(left, name), sql.Identifier(right, name)
        )
        for name in columns
    )


def _meet(spans: tuple[Span, ...]) -> sql.Composed:
    return sql.Composed(
        [
            sql.SQL(" AND staged.{low} {before} planned.{high} AND planned.{low} {before} staged.{high}").format(
                low=sql.Identifier(span.low),
                high=sql.Identifier(span.high),
                before=sql.SQL("<=" if span.closed else "<"),
            )
            for span in spans
        ]
    )


def stage(table: Table, columns: tuple[str, ...]) -> sql.Composed:
    """Create the table into which the rows of one file are copied, each with its line."""
    return sql.SQL(
        "CREATE TEMPORARY TABLE staged ON COMMIT DROP AS SELECT 0::int AS line, {} FROM {} WITH NO DATA"
    ).format(_names(columns), _target(table))


def copy(columns: tuple[str, ...]) -> sql.Composed:
    """Copy into the staged table."""
    return sql.SQL("COPY {} (line, {}) FROM STDIN").format(STAGED, _names(columns))


def overlaps(table: Table, apart: tuple[str, ...]) -> sql.Composed:
    """Give line, other line (null when registered before), and range of every overlap that the load would make.

    ``apart`` is one of the table's sets of columns; where the first of them is null nothing overlaps.
    """
    bounds = tuple(name for span in table.spans for name in (span.low, span.high))
    others = tuple(dict.fromkeys((*apart, *bounds, "valid_from", "valid_to")))
    return sql.SQL(
        """
        WITH planned AS (
          SELECT line, {others} FROM {staged}
          UNION ALL
          SELECT NULL, {target_others} FROM {target} AS target
          WHERE NOT EXISTS (SELECT FROM {staged} AS staged WHERE {same_key})
        )
        SELECT staged.line, planned.line, planned.valid_from, planned.valid_to
        FROM {staged} AS staged
        JOIN planned ON staged.{first} = planned.{first} AND {same_apart}
        WHERE (planned.line IS NULL OR planned.line < staged.line)
          AND (planned.valid_to IS NULL OR staged.valid_from < planned.valid_to)
          AND (staged.valid_to IS NULL OR planned.valid_from < staged.valid_to){meet}
        ORDER BY 1, 2
        """
    ).format(
        others=_names(others),
        staged=STAGED,
        target_others=_names(others, "target"),
        target=_target(table),
        same_key=_same(table, table.key, "staged", "target"),
        first=sql.Identifier(apart[0]),
        same_apart=_same(table, apart[1:], "staged", "planned") if apart[1:] else sql.SQL("true"),
        meet=_meet(table.spans),
    )


def merge(table: Table, columns: tuple[str, ...]) -> sql.Composed:
    """Add or replace the staged rows; gives one row per row written, true when it was new."""
    rest = tuple(name for name in columns if name not in table.key)
    return sql.SQL(
        """
        INSERT INTO {target} AS target ({columns}) SELECT {columns} FROM {staged}
        ON CONFLICT ({key}) DO UPDATE SET {changes}
        WHERE ({old}) IS DISTINCT FROM ({new})
        RETURNING xmax = 0
        """
    ).format(
        target=_target(table),
        columns=_names(columns),
        staged=STAGED,
        key=_names(table.key),
        changes=sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(name), sql.Identifier("excluded", name)) for name in rest
        ),
        old=_names(rest, "target"),
        new=_names(rest, "excluded"),
    )


def rewritten(table: Table, columns: tuple[str, ...]) -> sql.Composed:
    """Give the lines that would change a row of a table whose rows are never changed."""
    rest = tuple(name for name in columns if name not in table.key)
    return sql.SQL(
        "SELECT staged.line FROM {staged} AS staged JOIN {target} AS target ON {same}"
        " WHERE ({old}) IS DISTINCT FROM ({new}) ORDER BY 1"
    ).format(
        staged=STAGED,
        target=_target(table),
        same=_same(table, table.key, "staged", "target"),
        old=_names(rest, "target"),
        new=_names(rest, "staged"),
    )


def grow(table: Table, columns: tuple[str, ...], differing: tuple[str, ...]) -> sql.Composed:
    """Add the staged rows that differ in ``differing`` from the latest row of their key, or have none."""
    return sql.SQL(
        """
        INSERT INTO {target} ({columns}) SELECT {columns} FROM {staged} AS staged
        WHERE ({new}) IS DISTINCT FROM (
          SELECT ROW({old}) FROM {target} AS target WHERE {same} ORDER BY target.recorded_at DESC LIMIT 1)
        RETURNING true
        """
    ).format(
        target=_target(table),
        columns=_names(columns),
        staged=STAGED,
        new=sql.SQL("ROW({})").format(_names(differing, "staged")),
        old=_names(differing, "target"),
        same=_same(table, table.key, "staged", "target"),
    )
