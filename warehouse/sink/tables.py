"""Columns into the reading tables: by COPY, and by way of a staging table where a conflict is known or met."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from psycopg import errors
from psycopg.sql import SQL, Composed, Identifier

from edge_agent.contract.birth import Kind
from warehouse.postgres import Connection, statement
from warehouse.sink import copyformat, days
from warehouse.sink.flat import Ints
from warehouse.sink.readings import Columns

log = logging.getLogger(__name__)

_SQL: Final = "warehouse.sink"
_TYPE: Final = {Kind.GAUGE: SQL("float8"), Kind.REGISTER: SQL("int8"), Kind.STATE: SQL("int8")}
_REPLACED_V: Final = {Kind.GAUGE: "v_float", Kind.REGISTER: "v_int", Kind.STATE: "v_int"}
_COPY: Final = SQL("COPY {table} (series_id, t, v, q, message) FROM STDIN (FORMAT binary)")
# Names of the objects a statement about one kind may need.
_NAMES: Final = {
    kind: {
        "reading": Identifier("ingest", f"reading_{kind}"),
        "staged": Identifier("pg_temp", f"staged_{kind}"),
        "ranked": Identifier("pg_temp", f"ranked_{kind}"),
        "type": _TYPE[kind],
        "v": Identifier(_REPLACED_V[kind]),
    }
    for kind in Kind
}


@dataclass(frozen=True, slots=True)
class Write:
    """The transaction's part in placing readings."""

    batch: int
    closed_ms: float
    """Readings before this time (UTC ms, may be infinite) are late."""
    again: frozenset[int]
    """Messages that were stored before this transaction."""


@dataclass(slots=True)
class Placed:
    """What came of placing readings."""

    reused: set[int] = field(default_factory=set)
    """Messages stored before that brought something new."""
    deferred: bool = False
    """True when readings were put off."""


def place(connection: Connection, write: Write, columns: Mapping[Kind, Columns]) -> Placed:
    """Store readings.

    One value stands per series and time, whatever the order of arrival; the others go to ``reading_replaced``.
    """
    days.touch(connection, columns.values())
    again = np.fromiter(write.again, np.int64, len(write.again))
    placed = Placed()
    for kind, found in columns.items():
        conflict = found.repeated()
        if len(again):
            conflict |= np.isin(found.message, again)
        if not conflict.any():
            slow = None if _copied(connection, write, kind, found) else found
        else:
            fast = found.take(~conflict)
            slow = found.take(conflict) if not len(fast) or _copied(connection, write, kind, fast) else found
        if slow is not None:
            _merge_or_defer(connection, write, kind, slow, placed)
    return placed


def merge(connection: Connection, write: Write, kind: Kind, columns: Columns) -> set[int]:
    """Settle ``columns`` against what is stored, as :func:`place` does; meets ``53400`` where it is met."""
    names = _NAMES[kind]
    bounds = {"from_ms": int(columns.t_ms.min()), "to_ms": int(columns.t_ms.max())}
    days.touch(connection, (columns,))
    _stage(connection, kind, columns)
    if write.again:
        connection.execute(_sql("staged_repaired.sql", kind), {"again": list(write.again)})
    # The reading table must be entered by its index, once per staged key, however little the planner knows of either.
    connection.execute("SET LOCAL enable_hashjoin = off")
    connection.execute("SET LOCAL enable_mergejoin = off")
    connection.execute(_sql("staged_rank.sql", kind), bounds)
    reused = connection.execute(_sql("staged_reused.sql", kind), {"again": list(write.again)}).fetchall()
    connection.execute(_sql("staged_insert.sql", kind))
    connection.execute(_sql("staged_update.sql", kind), bounds)
    connection.execute(_sql("staged_replace.sql", kind), {"batch": write.batch})
    if write.closed_ms > bounds["from_ms"]:
        connection.execute(_sql("staged_dirty.sql", kind), {"batch": write.batch})
    connection.execute(SQL("TRUNCATE {staged}, {ranked}").format(**names))
    connection.execute("SET LOCAL enable_hashjoin = on")
    connection.execute("SET LOCAL enable_mergejoin = on")
    return {message for (message,) in reused}


def _merge_or_defer(connection: Connection, write: Write, kind: Kind, columns: Columns, placed: Placed) -> None:
    """Merge; what the server will not unpack in one transaction is put off."""
    try:
        with connection.transaction():
            placed.reused |= merge(connection, write, kind, columns)
    except errors.ConfigurationLimitExceeded as error:
        log.warning("event=deferred kind=%s readings=%d error=%s", kind, len(columns), error)
        _stage(connection, kind, columns)
        connection.execute(_sql("staged_defer.sql", kind), {"again": list(write.again), "batch": write.batch})
        placed.deferred = True


def _copied(connection: Connection, write: Write, kind: Kind, columns: Columns) -> bool:
    """Copy rows straight into their table; False, and nothing is done, when one is there already."""
    try:
        with connection.transaction():
            _copy(connection, _COPY.format(table=_NAMES[kind]["reading"]), columns)
    except errors.UniqueViolation:
        return False
    _mark_late(connection, write, columns)
    return True


def _stage(connection: Connection, kind: Kind, columns: Columns) -> None:
    connection.execute(_sql("staged_make.sql", kind))
    _copy(connection, _COPY.format(table=_NAMES[kind]["staged"]), columns)


def _copy(connection: Connection, command: Composed, columns: Columns) -> None:
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        for piece in copyformat.file(columns):
            copy.write(piece)


def _mark_late(connection: Connection, write: Write, columns: Columns) -> None:
    late = columns.t_ms < write.closed_ms
    if not late.any():
        return
    series_id, t_ms = columns.series_id[late], columns.t_ms[late]
    # Sorted by series and time, so the first and the last of each series are its bounds.
    starts = np.flatnonzero(np.diff(series_id, prepend=-1))
    ends = np.append(starts[1:], len(series_id)) - 1
    connection.execute(
        statement(_SQL, "dirty_add.sql"),
        {
            "series_ids": series_id[starts].tolist(),
            "from_ms": t_ms[starts].tolist(),
            "to_ms": t_ms[ends].tolist(),
            "batch": write.batch,
        },
    )


def _sql(name: str, kind: Kind) -> Composed:
    return statement(_SQL, name).format(**_NAMES[kind])


def months(t_ms: Iterable[Ints]) -> set[str]:
    """Return the months (UTC, ``YYYY-MM-01``) in which times lie."""
    found: set[str] = set()
    for times in t_ms:
        bounds = _months_of(np.array([times.min(), times.max()]))
        found |= bounds if len(bounds) == 1 else _months_of(times)
    return found


def _months_of(t_ms: Ints) -> set[str]:
    months_ = np.unique(t_ms.astype("datetime64[ms]").astype("datetime64[M]"))
    return {f"{month}-01" for month in months_.astype(str).tolist()}
