SELECT f.what, f.reason, coalesce(f.gateway, '-'), count(*) FILTER (WHERE f.settled_at IS NULL),
  count(*) FILTER (WHERE f.settled_at IS NOT NULL), min(f.at), max(f.at)
FROM ingest.refusal AS f
WHERE (%(gateway)s::text IS NULL OR f.gateway = %(gateway)s)
  AND (%(reason)s::text IS NULL OR f.reason = %(reason)s)
  AND (%(since)s::timestamptz IS NULL OR f.at >= %(since)s)
  AND (%(what)s::text IS NULL OR f.what = %(what)s)
  AND (%(settled)s OR f.settled_at IS NULL)
GROUP BY f.what, f.reason, f.gateway
ORDER BY 4 DESC, 5 DESC, f.what, f.reason, 3
