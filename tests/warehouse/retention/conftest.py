from tests.warehouse.flavours import warehouse_of
from tests.warehouse.sink.conftest import connection, migrated, warehouse

__all__ = ["connection", "migrated", "warehouse", "warehouse_of"]
