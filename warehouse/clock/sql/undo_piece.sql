-- Some of what the repair moved, all of one series.
SELECT c.repaired_id, c.series_id, s.kind, c.origin, c.rejected_id, c.message,
  (extract(epoch FROM c.was_t) * 1000)::int8, (extract(epoch FROM c.t) * 1000)::int8, c.q
FROM ingest.clock_repaired AS c
JOIN ingest.series AS s ON s.series_id = c.series_id
WHERE c.repair_id = %(repair_id)s AND c.undone_batch IS NULL
  AND c.series_id = (
    SELECT min(o.series_id) FROM ingest.clock_repaired AS o WHERE o.repair_id = %(repair_id)s AND o.undone_batch IS NULL
  )
ORDER BY c.repaired_id
LIMIT %(most)s
