from tests.warehouse.sink.conftest import connection, migrated, warehouse

__all__ = ["connection", "migrated", "warehouse"]
