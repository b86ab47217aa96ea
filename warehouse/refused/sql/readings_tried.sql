UPDATE ingest.reading_rejected AS j
SET tried_at = clock_timestamp(), tried_reason = w.reason, tried_detail = w.detail
FROM unnest(%(rejected_ids)s::int8[], %(reasons)s::text[], %(details)s::text[]) AS w (rejected_id, reason, detail)
WHERE j.rejected_id = w.rejected_id
