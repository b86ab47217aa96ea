-- Readings of one series that wait for a right time: stored as doubtful, displaced by others at their wrong time, or
-- refused for it; some at once, and only those whose new time is possible.
WITH candidate AS (
  SELECT 'stored' AS origin, NULL::int8 AS rejected_id, (extract(epoch FROM r.t) * 1000)::int8 AS t_ms, r.v AS v, r.q, r.message,
    NULL::timestamptz AS refused_at
  FROM {reading} AS r
  WHERE r.series_id = %(series_id)s AND r.q = %(doubtful)s
    AND r.t >= to_timestamp(%(from_ms)s / 1000.0) AND r.t < to_timestamp(%(to_ms)s / 1000.0)
  UNION ALL
  SELECT 'replaced', NULL, (extract(epoch FROM p.t) * 1000)::int8, p.{v}, p.q, p.message, NULL
  FROM ingest.reading_replaced AS p
  WHERE p.series_id = %(series_id)s AND p.q = %(doubtful)s
    AND p.t >= to_timestamp(%(from_ms)s / 1000.0) AND p.t < to_timestamp(%(to_ms)s / 1000.0)
    AND NOT EXISTS (
      SELECT FROM ingest.clock_repaired AS c
      WHERE c.series_id = p.series_id AND c.was_t = p.t AND c.message = p.message AND c.was_q = p.q
        AND c.{v} IS NOT DISTINCT FROM p.{v} AND c.undone_batch IS NULL
    )
  UNION ALL
  SELECT 'rejected', j.rejected_id, j.t_ms, j.value::{type}, j.q, ingest.message_id(j.ledger_id, j.seq), j.at
  FROM ingest.reading_rejected AS j
  WHERE j.series_id = %(series_id)s AND j.settled_at IS NULL
    AND j.reason IN ('time_past', 'time_future') AND j.t_ms >= %(from_ms)s AND j.t_ms < %(to_ms)s
), arrival AS (
  SELECT m.message, b.committed_at
  FROM (SELECT DISTINCT k.message FROM candidate AS k WHERE k.refused_at IS NULL) AS m
  LEFT JOIN ingest.batch AS b ON b.batch = ingest.batch_of(m.message)
)
SELECT k.origin, k.rejected_id, k.t_ms, k.v, k.q, k.message
FROM (
  SELECT k.*, coalesce(k.refused_at, a.committed_at) AS arrived_at
  FROM candidate AS k LEFT JOIN arrival AS a ON a.message = k.message
) AS k
WHERE (%(arrived_from)s::timestamptz IS NULL OR k.arrived_at >= %(arrived_from)s)
  AND (%(arrived_to)s::timestamptz IS NULL OR k.arrived_at < %(arrived_to)s)
  AND (k.t_ms + %(shift_ms)s >= %(earliest_ms)s
    AND k.t_ms + %(shift_ms)s <= (extract(epoch FROM coalesce(k.arrived_at, clock_timestamp())) * 1000)::int8 + %(ahead_ms)s
  ) = %(possible)s
ORDER BY k.t_ms, k.message, k.origin
LIMIT %(most)s
