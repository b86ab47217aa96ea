-- Only where the day is not marked yet; null means that every day is. A time that lies ahead is no day of ours.
UPDATE ingest.ledger AS l SET touched = l.touched + w.days
FROM (
  SELECT i.ledger_id, range_agg(daterange(d.day, d.day + 1)) AS days
  FROM unnest(%(ledger_ids)s::int4[], %(days)s::int4[]) AS i (ledger_id, day)
  CROSS JOIN LATERAL (SELECT date '1970-01-01' + i.day AS day) AS d
  WHERE d.day <= (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')::date + 2
  GROUP BY i.ledger_id
) AS w
WHERE l.ledger_id = w.ledger_id AND NOT l.touched @> w.days
