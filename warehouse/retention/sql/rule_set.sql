UPDATE ingest.retention_rule
SET compress_after_days = coalesce(%(compress_after_days)s, compress_after_days),
  keep_days = CASE WHEN %(keep)s THEN %(keep_days)s ELSE keep_days END,
  decided_by = %(by)s, document = %(document)s, decided_at = now()
WHERE reading = %(reading)s
RETURNING compress_after_days, keep_days
