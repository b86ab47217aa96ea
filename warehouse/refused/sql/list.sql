SELECT f.id, f.at, coalesce(f.gateway, '-'), f.reason, f.what, f.place, f.settled_by, f.detail
FROM ingest.refusal AS f
WHERE (%(gateway)s::text IS NULL OR f.gateway = %(gateway)s)
  AND (%(reason)s::text IS NULL OR f.reason = %(reason)s)
  AND (%(since)s::timestamptz IS NULL OR f.at >= %(since)s)
  AND (%(what)s::text IS NULL OR f.what = %(what)s)
  AND (%(settled)s OR f.settled_at IS NULL)
ORDER BY f.at DESC, f.id DESC
LIMIT %(limit)s
