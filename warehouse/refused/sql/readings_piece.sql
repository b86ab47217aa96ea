-- Waiting readings after rejected_id; the series is that of the name in the gateway's births, when they all agree.
SELECT j.rejected_id, coalesce(j.tried_reason, j.reason), j.ledger_id, j.seq, j.name, j.t_ms, j.value, j.q,
  (extract(epoch FROM j.at) * 1000)::int8,
  coalesce(j.series_id, n.series_id), s.kind, s.range, n.meanings
FROM ingest.reading_rejected AS j
JOIN ingest.ledger AS l ON l.ledger_id = j.ledger_id
LEFT JOIN LATERAL (
  SELECT min(b.series_id) AS series_id, count(DISTINCT b.series_id) AS meanings
  FROM ingest.birth AS a JOIN ingest.birth_series AS b ON b.birth_id = a.birth_id
  WHERE j.series_id IS NULL AND a.gateway = l.gateway AND b.name = j.name
) AS n ON true
LEFT JOIN ingest.series AS s ON s.series_id = coalesce(j.series_id, n.series_id)
WHERE j.settled_at IS NULL AND j.rejected_id > %(after)s AND j.rejected_id <= %(last)s
  AND (%(gateway)s::text IS NULL OR l.gateway = %(gateway)s)
  AND (%(reason)s::text IS NULL OR coalesce(j.tried_reason, j.reason) = %(reason)s)
  AND (%(since)s::timestamptz IS NULL OR j.at >= %(since)s)
  AND (%(rejected_id)s::int8 IS NULL OR j.rejected_id = %(rejected_id)s)
ORDER BY j.rejected_id
LIMIT %(most)s
