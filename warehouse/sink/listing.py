"""Tables for people: the ledger, and what was refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from warehouse.postgres import Connection, statement, translated

_SQL: Final = "warehouse.sink"
_LEDGER: Final = ("gateway", "epoch", "stored", "rejected", "dropped", "held", "open", "lost", "")
_REFUSED: Final = ("at", "gateway", "reason", "what", "where", "detail")
_DETAIL_WIDTH: Final = 100


def ledger_table(connection: Connection, gateway: str | None = None, *, only_open: bool = False) -> Iterator[str]:
    """Return one line per gateway and epoch, below a line of headings."""
    with translated():
        found = connection.execute(
            statement(_SQL, "ledger_list.sql"), {"gateway": gateway, "only_open": only_open}
        ).fetchall()
    rows = [
        (name, epoch, stored, rejected, dropped, _held(first, last), waiting, lost, "degraded" if degraded else "")
        for name, epoch, stored, rejected, dropped, first, last, waiting, lost, degraded in found
    ]
    return _lines(_LEDGER, rows)


def refused_table(connection: Connection, gateway: str | None = None, limit: int = 50) -> Iterator[str]:
    """Return one line per refused message or reading, newest first, below a line of headings."""
    with translated():
        found = connection.execute(statement(_SQL, "refused_list.sql"), {"gateway": gateway, "limit": limit}).fetchall()
    rows = [
        (f"{at:%Y-%m-%d %H:%M:%S}Z", name, reason, what, where, " ".join(detail.split())[:_DETAIL_WIDTH])
        for at, name, reason, what, where, detail in found
    ]
    return _lines(_REFUSED, rows)


def _held(first: int | None, last: int | None) -> str:
    if first is None or last is None:
        return "?"
    return f"{first}-{last}" if first <= last else "none"


def _lines(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    table = [tuple(headings), *(tuple(str(cell) for cell in row) for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(headings))]
    for row in table:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
