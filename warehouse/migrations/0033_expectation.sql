-- The same view; the registry is asked once per birth and not once per series, which took most of the time
-- (measured for 6 gateways of 20 series: 14 of 17 ms).

CREATE OR REPLACE VIEW ingest.expectation AS
WITH said AS (
  SELECT
    b.gateway, b.birth_id, b.said_at AS since,
    lead(b.said_at) OVER (PARTITION BY b.gateway ORDER BY b.said_at, b.said_id) AS until,
    coalesce(ingest.bound_times(b.gateway), '{(,)}'::tstzmultirange) AS bound
  FROM ingest.birth_said AS b
),
named AS (
  SELECT s.gateway, n.series_id, s.since, s.until, s.bound, min(n.interval_ms) AS interval_ms
  FROM said AS s
  JOIN ingest.birth_series AS n ON n.birth_id = s.birth_id
  WHERE s.since IS DISTINCT FROM s.until
  GROUP BY s.gateway, n.series_id, s.since, s.until, s.bound
),
begun AS (
  SELECT n.*,
    CASE
      WHEN lag(n.until) OVER w = n.since AND lag(n.interval_ms) OVER w = n.interval_ms THEN 0
      ELSE 1
    END AS begins
  FROM named AS n
  WINDOW w AS (PARTITION BY n.gateway, n.series_id ORDER BY n.since)
),
numbered AS (
  SELECT b.*, sum(b.begins) OVER (PARTITION BY b.gateway, b.series_id ORDER BY b.since) AS stretch FROM begun AS b
),
stretches AS (
  SELECT n.gateway, n.series_id, n.interval_ms, n.bound,
    tstzrange(min(n.since), CASE WHEN bool_or(n.until IS NULL) THEN NULL ELSE max(n.until) END) AS times
  FROM numbered AS n
  GROUP BY n.gateway, n.series_id, n.stretch, n.interval_ms, n.bound
)
SELECT s.gateway, s.series_id, s.interval_ms, t.times
FROM stretches AS s
CROSS JOIN LATERAL (
  SELECT unnest(tstzmultirange(s.times) * s.bound) AS times
) AS t;
