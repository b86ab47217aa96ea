"""A database with this version's schema and the reference data, copied for each test from one that is made once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from psycopg.conninfo import conninfo_to_dict

from deploy.local.external import ExternalPostgres
from deploy.local.postgres import Postgres
from tests.services.plugin import fresh_database
from warehouse.migrate import migrate
from warehouse.postgres import Connection, connect
from warehouse.registry.load import load_reference


@pytest.fixture(scope="session")
def ready_template(postgres: Postgres | ExternalPostgres) -> Iterator[str]:
    """Name of a database that nobody is connected to."""
    with fresh_database(postgres) as dsn:
        with connect(dsn, application="tests") as conn:
            migrate(conn)
            assert load_reference(conn).refused == ()
        yield str(conninfo_to_dict(dsn)["dbname"])


@pytest.fixture
def ready_dsn(postgres: Postgres | ExternalPostgres, ready_template: str) -> Iterator[str]:
    """The DSN of a migrated database with the reference data, dropped after the test."""
    with fresh_database(postgres, ready_template) as dsn:
        yield dsn


@pytest.fixture
def ready(ready_dsn: str) -> Iterator[Connection]:
    """A connection to a migrated database with the reference data."""
    with connect(ready_dsn, application="tests") as conn:
        yield conn


def another_meter(conn: Connection) -> None:
    """Add the meter that the example of a virtual meter has as its term: the example of meters is one meter only."""
    conn.execute("INSERT INTO registry.meter (serial, carrier, unit) VALUES ('310023456790', 'electricity', 'kWh')")
