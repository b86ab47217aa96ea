SELECT r.repair_id, r.gateway, r.from_ms, r.to_ms, r.shift_ms, r.by, r.at, r.undone_at, r.reason,
  (SELECT count(*) FROM ingest.clock_repaired AS c WHERE c.repair_id = r.repair_id AND c.undone_batch IS NULL)
FROM ingest.clock_repair AS r
WHERE %(gateway)s::text IS NULL OR r.gateway = %(gateway)s
ORDER BY r.repair_id DESC
LIMIT %(limit)s
