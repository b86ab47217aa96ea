"""The ledger as a table for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from warehouse.postgres import Connection, statement, translated
from warehouse.table import aligned

_SQL: Final = "warehouse.sink"
_LEDGER: Final = ("gateway", "epoch", "stored", "rejected", "dropped", "held", "open", "lost", "")


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
    return aligned(_LEDGER, rows)


def _held(first: int | None, last: int | None) -> str:
    if first is None or last is None:
        return "?"
    return f"{first}-{last}" if first <= last else "none"
