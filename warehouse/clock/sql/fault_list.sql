SELECT f.fault_id, f.gateway, f.status, f.offset_ms, f.lowest_ms, f.highest_ms, f.first_at_ms, f.last_at_ms,
  f.since, f.seen_at, f.until, f.step_ms
FROM ingest.clock_fault AS f
WHERE (%(gateway)s::text IS NULL OR f.gateway = %(gateway)s)
  AND (%(ended)s OR f.until IS NULL)
ORDER BY f.until IS NOT NULL, f.since DESC
LIMIT %(limit)s
