"""The tables that the registry is loaded into from files: the one place that says what they hold.

``README.md`` of the registry is made from it (:mod:`warehouse.registry.readme`), and so are the templates.
"""

from __future__ import annotations

from typing import Final

from edge_agent.contract.errors import Misconfigured
from warehouse.registry.tables import development, enterprises, metering, statistics
from warehouse.registry.tables.shape import Column, Row, Span, Table, Wrong

TABLES: Final = (*enterprises.TABLES, *development.TABLES, *metering.TABLES, *statistics.TABLES)
"""In the order in which they are loaded: what is referred to comes first."""

__all__ = ["TABLES", "Column", "Row", "Span", "Table", "Wrong", "known", "named"]


def named(name: str) -> Table | None:
    """Return the table of that name, English or Chinese; ``None`` for none."""
    return next((table for table in TABLES if name in (table.name, table.zh)), None)


def known(name: str) -> Table:
    """Return the table of that name; ``Misconfigured``, naming them all, for none."""
    if (table := named(name)) is None:
        raise Misconfigured(f"no table {name!r} (没有这张表); {', '.join(f'{one.name} {one.zh}' for one in TABLES)}")
    return table
