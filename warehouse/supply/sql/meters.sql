SELECT meter_id, carrier, unit FROM registry.meter
