-- From the read at the meter to the commit, in ms: median and 99th percentile of what was read since a moment.
SELECT
  percentile_cont(0.5) WITHIN GROUP (ORDER BY late_ms),
  percentile_cont(0.99) WITHIN GROUP (ORDER BY late_ms)
FROM (
  SELECT extract(epoch FROM b.committed_at - reading.t) * 1000 AS late_ms
  FROM (
    SELECT t, message FROM ingest.reading_gauge
    UNION ALL SELECT t, message FROM ingest.reading_register
    UNION ALL SELECT t, message FROM ingest.reading_state
  ) AS reading
  JOIN ingest.batch AS b ON b.batch = ingest.batch_of(reading.message)
  WHERE reading.t >= %(began)s
) AS live;
