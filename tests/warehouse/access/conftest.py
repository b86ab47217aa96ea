"""A warehouse with two parks; roles belong to the whole server, so each ends with its database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from deploy.local.external import ExternalPostgres
from deploy.local.postgres import Postgres
from tests.services.plugin import fresh_database
from tests.warehouse.access.world import World, fill
from tests.warehouse.sink.conftest import migrated
from warehouse.postgres import connect

__all__ = ["migrated"]


@contextmanager
def _made(postgres: Postgres | ExternalPostgres, migrated: str) -> Iterator[World]:
    with fresh_database(postgres, migrated) as dsn, connect(dsn, application="tests") as conn:
        world = World(dsn, conn)
        try:
            fill(world)
            yield world
        finally:
            world.end()


@pytest.fixture(scope="module")
def world(postgres: Postgres | ExternalPostgres, migrated: str) -> Iterator[World]:
    """Both parks, for tests that change nothing."""
    with _made(postgres, migrated) as made:
        yield made


@pytest.fixture
def own_world(postgres: Postgres | ExternalPostgres, migrated: str) -> Iterator[World]:
    """Both parks, for a test that changes something."""
    with _made(postgres, migrated) as made:
        yield made
