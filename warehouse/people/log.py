"""The log of accesses: who asked for what, within which scope, and what they were given."""

from __future__ import annotations

from dataclasses import dataclass

from warehouse.people.scope import SQL, Scope
from warehouse.postgres import Connection, statement, translated


@dataclass(frozen=True, slots=True)
class Access:
    """One answered request; ``who`` is ``anonymous`` when nobody was known."""

    who: str
    scope: Scope | None
    address: str | None
    method: str
    path: str
    query: str
    status: int
    rows: int | None = None


def write(connection: Connection, access: Access) -> None:
    """Put an access down."""
    scope = access.scope.columns if access.scope else {"kind": None, "areas": None, "uscc": None}
    with translated():
        connection.execute(
            statement(SQL, "log_add.sql"),
            scope
            | {
                "who": access.who,
                "address": access.address,
                "method": access.method,
                "path": access.path,
                "query": access.query,
                "status": access.status,
                "rows": access.rows,
            },
        )
