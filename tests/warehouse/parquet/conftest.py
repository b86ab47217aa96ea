from tests.warehouse.registry.ready import ready, ready_dsn, ready_template
from tests.warehouse.sink.conftest import connection, migrated, warehouse

__all__ = ["connection", "migrated", "ready", "ready_dsn", "ready_template", "warehouse"]
