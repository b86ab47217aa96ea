UPDATE ingest.dead_letter AS d
SET tried_at = clock_timestamp(), tried_reason = w.reason, tried_detail = w.detail
FROM unnest(%(letter_ids)s::int8[], %(reasons)s::text[], %(details)s::text[]) AS w (letter_id, reason, detail)
WHERE d.letter_id = w.letter_id
