DELETE FROM energy.supply_dirty WHERE dirty_id = ANY(%(dirty)s::int8[])
