UPDATE ingest.reading_rejected AS j SET settled_at = NULL, settled_batch = NULL, settled_by = NULL
WHERE j.rejected_id = ANY (%(rejected_ids)s::int8[])
