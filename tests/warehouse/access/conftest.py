"""A warehouse with two parks; roles belong to the whole server, so each ends with its database.

Access is tested on plain PostgreSQL and, where ``G60_TIMESCALE`` names a server, on a native TimescaleDB: the build in
WebAssembly has no roles.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from deploy.local.external import ExternalPostgres
from tests.services.plugin import fresh_database
from tests.services.timescale import NATIVE
from tests.warehouse.access.world import World, fill, grant_all
from tests.warehouse.sink.conftest import migrated, warehouse
from warehouse.migrate import Flavour, migrate
from warehouse.postgres import connect

__all__ = ["migrated", "warehouse"]

SERVERS = list(Flavour) if NATIVE in os.environ else [Flavour.PLAIN]


@contextmanager
def _made(request: pytest.FixtureRequest) -> Iterator[World]:
    with ExitStack() as ending:
        if request.param is Flavour.PLAIN:
            template: str = request.getfixturevalue("migrated")
            dsn = ending.enter_context(fresh_database(request.getfixturevalue("postgres"), template))
        else:
            dsn = ending.enter_context(fresh_database(ExternalPostgres(os.environ[NATIVE])))
        conn = ending.enter_context(connect(dsn, application="tests"))
        migrate(conn, request.param)
        world = World(dsn, conn)
        ending.callback(world.end)
        fill(world)
        grant_all(world)
        yield world


@pytest.fixture(scope="module", params=SERVERS)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Both parks and a role of each kind, for tests that change nothing."""
    with _made(request) as made:
        yield made


@pytest.fixture(params=SERVERS)
def own_world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Both parks and a role of each kind, for a test that changes something."""
    with _made(request) as made:
        yield made
