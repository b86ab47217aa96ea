-- Holes that stand, and what was dropped; the latter's readings are exact.
SELECT h.gateway, h.epoch, h.first, h.last, h.messages, h.readings_about::numeric, true AS about,
  h.state || CASE WHEN h.degraded THEN ' (degraded)' ELSE '' END AS state, h.seen_at
FROM ingest.hole_status AS h
WHERE %(gateway)s::text IS NULL OR h.gateway = %(gateway)s
UNION ALL
SELECT d.gateway, d.epoch, d.first, d.last, d.messages, d.readings, false, 'dropped: ' || d.reason, d.first_told_at
FROM ingest.dropped_status AS d
WHERE %(gateway)s::text IS NULL OR d.gateway = %(gateway)s
ORDER BY 1, 2, 3, 8
LIMIT %(limit)s
