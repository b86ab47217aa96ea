SELECT coalesce(max(j.rejected_id), 0) FROM ingest.reading_rejected AS j
