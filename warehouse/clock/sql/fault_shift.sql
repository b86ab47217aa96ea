SELECT f.gateway, -coalesce(-f.step_ms, f.offset_ms)
FROM ingest.clock_fault AS f
WHERE f.fault_id = %(fault_id)s
