UPDATE ingest.reading_rejected AS j
SET settled_at = clock_timestamp(), settled_batch = %(batch)s, settled_by = 'repair'
WHERE j.rejected_id = ANY (%(rejected_ids)s::int8[])
