from tests.warehouse.registry.ready import ready, ready_dsn, ready_template

__all__ = ["ready", "ready_dsn", "ready_template"]
