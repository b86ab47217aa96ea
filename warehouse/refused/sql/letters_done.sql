-- The number of the batch is that which this session took last.
UPDATE ingest.dead_letter AS d
SET replayed_at = clock_timestamp(), replayed_batch = currval('ingest.batch_number')
WHERE d.letter_id = ANY (%(letter_ids)s::int8[]) AND d.replayed_at IS NULL
