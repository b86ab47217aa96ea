SELECT meter_id, serial FROM registry.meter WHERE meter_id = ANY(%(meters)s)
