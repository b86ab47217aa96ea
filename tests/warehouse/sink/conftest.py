"""A warehouse for each test, copied from one that was migrated once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from psycopg.conninfo import conninfo_to_dict

from deploy.local.external import ExternalPostgres
from deploy.local.postgres import Postgres
from tests.services.plugin import fresh_database
from warehouse.migrate import Flavour, migrate
from warehouse.postgres import Connection, connect


@pytest.fixture(scope="session")
def migrated(postgres: Postgres | ExternalPostgres) -> Iterator[str]:
    """Name of a migrated database that nobody is connected to, to be copied."""
    with fresh_database(postgres) as dsn:
        with connect(dsn, application="test") as connection:
            migrate(connection, Flavour.PLAIN)
        yield str(conninfo_to_dict(dsn)["dbname"])


@pytest.fixture
def warehouse(postgres: Postgres | ExternalPostgres, migrated: str) -> Iterator[str]:
    """DSN of an empty warehouse."""
    with fresh_database(postgres, migrated) as dsn:
        yield dsn


@pytest.fixture
def connection(warehouse: str) -> Iterator[Connection]:
    """A connection to the test's warehouse, apart from the sink's."""
    with connect(warehouse, application="test") as found:
        yield found
