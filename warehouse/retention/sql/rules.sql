SELECT reading, compress_after_days, keep_days, decided_by, document FROM ingest.retention_rule ORDER BY reading
