-- From t to the commit, in milliseconds, of what was read since a time and is later than its gateway's boundary.
-- One series of each gateway stands for all: the series of a message share their times.
WITH one AS (
  SELECT s.gateway, min(s.series_id) AS series_id FROM ingest.series AS s GROUP BY s.gateway
),
chosen AS (
  SELECT o.series_id, coalesce(w.boundary, 0) AS boundary
  FROM one AS o LEFT JOIN unnest(%(gateways)s::text[], %(boundaries)s::int8[]) AS w (gateway, boundary) USING (gateway)
),
found AS (
  SELECT r.message, r.t, ingest.batch_of(r.message) AS batch
  FROM chosen AS c JOIN ingest.reading_gauge AS r USING (series_id)
  WHERE r.t >= to_timestamp(%(since_ms)s / 1000.0) AND ingest.seq_of(r.message) > c.boundary
),
delay AS (
  SELECT f.message, extract(epoch FROM b.committed_at - f.t)::float8 * 1000 AS ms
  FROM found AS f JOIN ingest.batch AS b USING (batch)
),
newest AS (
  SELECT min(ms) AS ms FROM delay GROUP BY message
)
SELECT
  (SELECT percentile_disc(ARRAY[0.5, 0.99, 1.0]) WITHIN GROUP (ORDER BY ms) FROM delay) AS of_readings,
  (SELECT percentile_disc(ARRAY[0.5, 0.99, 1.0]) WITHIN GROUP (ORDER BY ms) FROM newest) AS of_messages,
  (SELECT count(*) FROM newest) AS messages
