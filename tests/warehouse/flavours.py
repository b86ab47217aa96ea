"""A warehouse of each flavour, for tests that want the same answers from both; import ``warehouse_of`` to have it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from warehouse.migrate import Flavour, migrate
from warehouse.postgres import Connection, connect


@dataclass(frozen=True, slots=True)
class Warehouse:
    """An empty, migrated warehouse."""

    dsn: str
    flavour: Flavour
    connection: Connection

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self.connection.execute(query.encode(), parameters).fetchall()

    def one(self, query: str, *parameters: object) -> Any:
        ((found,),) = self.rows(query, *parameters)
        return found


@pytest.fixture(params=list(Flavour))
def warehouse_of(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    """An empty warehouse of each flavour in turn; the fixture ``database`` stays free for another one."""
    flavour: Flavour = request.param
    dsn: str = request.getfixturevalue("warehouse" if flavour is Flavour.PLAIN else "timescale_database")
    with connect(dsn, application="test") as connection:
        if flavour is Flavour.TIMESCALE:
            migrate(connection, flavour)
        yield Warehouse(dsn, flavour, connection)
