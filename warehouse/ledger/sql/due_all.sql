-- Every day from the first reading of a gateway to its last.
INSERT INTO ingest.count_due (gateway, day, since)
SELECT g.gateway, d.day::date, %(now)s
FROM (
  SELECT s.gateway, min(b.first) AS first, max(b.last) AS last
  FROM ingest.series AS s
  CROSS JOIN LATERAL (
    SELECT min(r.t) AS first, max(r.t) AS last FROM ingest.reading_gauge AS r
    WHERE s.kind = 'gauge' AND r.series_id = s.series_id
    UNION ALL
    SELECT min(r.t), max(r.t) FROM ingest.reading_register AS r WHERE s.kind = 'register' AND r.series_id = s.series_id
    UNION ALL
    SELECT min(r.t), max(r.t) FROM ingest.reading_state AS r WHERE s.kind = 'state' AND r.series_id = s.series_id
  ) AS b
  WHERE s.gateway = ANY(%(gateways)s)
  GROUP BY s.gateway
) AS g
CROSS JOIN LATERAL generate_series(ingest.day_of(g.first), ingest.day_of(g.last), interval '1 day') AS d (day)
ON CONFLICT (gateway, day) DO NOTHING
