from pathlib import Path

import pytest

from tests.metrics.world import World
from tests.warehouse.registry.ready import ready, ready_dsn, ready_template
from warehouse.postgres import Connection

__all__ = ["ready", "ready_dsn", "ready_template"]


@pytest.fixture
def world(ready: Connection, tmp_path: Path) -> World:
    return World(ready, tmp_path)
