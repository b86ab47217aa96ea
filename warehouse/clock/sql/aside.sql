-- What waits of one gateway, by where it stands and in which life of the gateway's buffer it came.
WITH candidate AS (
  SELECT 'stored' AS origin, 'clock_unsynced' AS reason, (extract(epoch FROM r.t) * 1000)::int8 AS t_ms, r.message, NULL::timestamptz AS refused_at
  FROM ingest.series AS s JOIN {reading} AS r ON r.series_id = s.series_id
  WHERE s.gateway = %(gateway)s AND s.kind = %(kind)s AND r.q = %(doubtful)s
    AND r.t >= to_timestamp(%(from_ms)s / 1000.0) AND r.t < to_timestamp(%(to_ms)s / 1000.0)
  UNION ALL
  SELECT 'replaced', 'clock_unsynced', (extract(epoch FROM p.t) * 1000)::int8, p.message, NULL
  FROM ingest.series AS s JOIN ingest.reading_replaced AS p ON p.series_id = s.series_id
  WHERE s.gateway = %(gateway)s AND s.kind = %(kind)s AND p.q = %(doubtful)s
    AND p.t >= to_timestamp(%(from_ms)s / 1000.0) AND p.t < to_timestamp(%(to_ms)s / 1000.0)
    AND NOT EXISTS (
      SELECT FROM ingest.clock_repaired AS c
      WHERE c.series_id = p.series_id AND c.was_t = p.t AND c.message = p.message AND c.was_q = p.q
        AND c.{v} IS NOT DISTINCT FROM p.{v} AND c.undone_batch IS NULL
    )
  UNION ALL
  SELECT 'rejected', j.reason, j.t_ms, ingest.message_id(j.ledger_id, j.seq), j.at
  FROM ingest.ledger AS l
  JOIN ingest.reading_rejected AS j ON j.ledger_id = l.ledger_id
  JOIN ingest.series AS s ON s.series_id = j.series_id
  WHERE l.gateway = %(gateway)s AND s.kind = %(kind)s AND j.settled_at IS NULL
    AND j.reason IN ('time_past', 'time_future') AND j.t_ms >= %(from_ms)s AND j.t_ms < %(to_ms)s
), arrival AS (
  SELECT m.message, b.committed_at
  FROM (SELECT DISTINCT k.message FROM candidate AS k WHERE k.refused_at IS NULL) AS m
  LEFT JOIN ingest.batch AS b ON b.batch = ingest.batch_of(m.message)
)
SELECT k.origin, k.reason, l.epoch, count(*), min(k.t_ms), max(k.t_ms),
  min(coalesce(k.refused_at, a.committed_at)), max(coalesce(k.refused_at, a.committed_at))
FROM candidate AS k
JOIN ingest.ledger AS l ON l.ledger_id = ingest.ledger_of(k.message)
LEFT JOIN arrival AS a ON a.message = k.message
GROUP BY k.origin, k.reason, l.epoch
