UPDATE ingest.reading_rejected AS j
SET settled_at = clock_timestamp(), settled_batch = %(batch)s, settled_by = 'replay',
  series_id = coalesce(j.series_id, w.series_id)
FROM unnest(%(rejected_ids)s::int8[], %(series_ids)s::int4[]) AS w (rejected_id, series_id)
WHERE j.rejected_id = w.rejected_id AND j.settled_at IS NULL
