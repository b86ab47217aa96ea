-- Counts some series of one day. Returns how many readings were looked at. Joins nothing that is large but the readings
-- themselves with the messages that brought them, so that it may be planned without nested loops.
WITH reading AS NOT MATERIALIZED (
  SELECT r.series_id, r.t, r.message, r.q < 100 AND r.v IS NOT NULL AS usable
  FROM ingest.reading_gauge AS r
  WHERE r.series_id = ANY(%(gauges)s) AND r.t >= %(from)s AND r.t < %(to)s
  UNION ALL
  SELECT r.series_id, r.t, r.message, r.q < 100 AND r.v IS NOT NULL
  FROM ingest.reading_register AS r
  WHERE r.series_id = ANY(%(registers)s) AND r.t >= %(from)s AND r.t < %(to)s
  UNION ALL
  SELECT r.series_id, r.t, r.message, r.q < 100 AND r.v IS NOT NULL
  FROM ingest.reading_state AS r
  WHERE r.series_id = ANY(%(states)s) AND r.t >= %(from)s AND r.t < %(to)s
),
arrival AS MATERIALIZED (
  SELECT m.message, (
    SELECT b.committed_at FROM ingest.batch AS b WHERE b.batch = ingest.batch_of(m.message)
  ) AS committed_at
  FROM (SELECT DISTINCT r.message FROM reading AS r) AS m
),
wanted AS (
  SELECT unnest(%(series)s::int4[]) AS series_id
),
stretch AS (
  SELECT s.series_id, range_agg(tstzrange(s.since, s.until)) AS times
  FROM unnest(%(stretches)s::int4[], %(since)s::timestamptz[], %(until)s::timestamptz[]) AS s (series_id, since, until)
  GROUP BY s.series_id
),
expected AS (
  -- Null where readings are expected all day, which needs no look at each of them.
  SELECT s.series_id, nullif(s.times, tstzmultirange(tstzrange(%(from)s, %(to)s))) AS times FROM stretch AS s
),
counted AS (
  SELECT
    r.series_id,
    count(*) FILTER (WHERE r.usable) AS received,
    count(*) FILTER (WHERE r.usable AND (e.series_id IS NULL OR NOT e.times @> r.t)) AS unexpected,
    count(*) FILTER (WHERE NOT r.usable) AS bad,
    count(*) FILTER (WHERE a.committed_at > r.t + %(late)s) AS late
  FROM reading AS r
  LEFT JOIN arrival AS a ON a.message = r.message
  LEFT JOIN expected AS e ON e.series_id = r.series_id
  GROUP BY r.series_id
),
promised AS (
  SELECT w.series_id, w.readings
  FROM unnest(%(promised_series)s::int4[], %(promised)s::int8[]) AS w (series_id, readings)
),
rejected AS (
  SELECT j.series_id, count(*) AS readings
  FROM ingest.reading_rejected AS j
  WHERE j.series_id = ANY(%(series)s) AND j.t_ms >= %(from_ms)s AND j.t_ms < %(to_ms)s
    AND j.reason NOT IN ('time_past', 'time_future') AND j.settled_at IS NULL
  GROUP BY j.series_id
),
replaced AS (
  SELECT p.series_id, count(*) AS readings
  FROM ingest.reading_replaced AS p
  WHERE p.series_id = ANY(%(series)s) AND p.t >= %(from)s AND p.t < %(to)s
  GROUP BY p.series_id
),
written AS (
  INSERT INTO ingest.completeness
    (series_id, day, expected, received, unexpected, bad, late, rejected, replaced, counted_at)
  SELECT w.series_id, %(day)s, e.readings, coalesce(c.received, 0), coalesce(c.unexpected, 0), coalesce(c.bad, 0),
    coalesce(c.late, 0), coalesce(j.readings, 0), coalesce(p.readings, 0), %(now)s
  FROM wanted AS w
  LEFT JOIN counted AS c ON c.series_id = w.series_id
  LEFT JOIN promised AS e ON e.series_id = w.series_id
  LEFT JOIN rejected AS j ON j.series_id = w.series_id
  LEFT JOIN replaced AS p ON p.series_id = w.series_id
  WHERE num_nonnulls(c.series_id, e.readings, j.readings, p.readings) > 0
  ON CONFLICT (series_id, day) DO UPDATE
  SET expected = excluded.expected, received = excluded.received, unexpected = excluded.unexpected, bad = excluded.bad,
    late = excluded.late, rejected = excluded.rejected, replaced = excluded.replaced, counted_at = excluded.counted_at
  RETURNING series_id, received + bad AS readings
),
-- Of which nothing is known any more, for example because the registry says so.
forgotten AS (
  DELETE FROM ingest.completeness AS c
  WHERE c.series_id = ANY(%(series)s) AND c.day = %(day)s AND c.series_id NOT IN (SELECT w.series_id FROM written AS w)
)
SELECT coalesce(sum(w.readings), 0)::int8 FROM written AS w
