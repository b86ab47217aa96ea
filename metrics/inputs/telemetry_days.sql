SELECT %(period)s
WHERE NOT EXISTS (
  SELECT
  FROM ingest.completeness AS c
  WHERE c.day >= %(period_start)s AND c.day < %(period_end)s AND c.received > 0
)
