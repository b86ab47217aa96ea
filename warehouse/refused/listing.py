"""Refusals as tables for people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from warehouse.postgres import Connection, statement, translated
from warehouse.refused.which import Which
from warehouse.table import aligned

_SQL: Final = "warehouse.refused"
_LIST: Final = ("id", "at", "gateway", "reason", "what", "where", "settled", "detail")
_COUNT: Final = ("what", "reason", "gateway", "waiting", "settled", "first", "last")
_DETAIL_WIDTH: Final = 100


def refused_table(connection: Connection, which: Which, limit: int = 50) -> Iterator[str]:
    """Return one line per refused message or reading, newest first, below a line of headings."""
    with translated():
        found = connection.execute(statement(_SQL, "list.sql"), {**which.parameters(), "limit": limit}).fetchall()
    rows = [
        (id_, moment(at), name, reason, what, where, settled or "-", " ".join(detail.split())[:_DETAIL_WIDTH])
        for id_, at, name, reason, what, where, settled, detail in found
    ]
    return aligned(_LIST, rows)


def count_table(connection: Connection, which: Which) -> Iterator[str]:
    """Return one line per reason and gateway with how many wait, most first, below a line of headings."""
    with translated():
        found = connection.execute(statement(_SQL, "count.sql"), which.parameters()).fetchall()
    rows = [
        (what, reason, gateway, waiting, settled, moment(first), moment(last))
        for what, reason, gateway, waiting, settled, first, last in found
    ]
    return aligned(_COUNT, rows)


def moment(at: datetime) -> str:
    """Return a moment, which the database gives in UTC, to the second."""
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"
