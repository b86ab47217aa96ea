WITH taken AS (
  UPDATE ingest.ledger AS l SET touched = '{}' WHERE l.ledger_id = ANY(%(ledger_ids)s)
)
INSERT INTO ingest.count_due (gateway, day, since)
SELECT DISTINCT w.gateway, d.day::date, %(now)s
FROM unnest(%(gateways)s::text[], %(touched)s::text[]) AS w (gateway, touched)
CROSS JOIN LATERAL unnest(w.touched::datemultirange) AS r (days)
CROSS JOIN LATERAL generate_series(lower(r.days), upper(r.days) - 1, interval '1 day') AS d (day)
ON CONFLICT (gateway, day) DO NOTHING
