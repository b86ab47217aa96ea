-- The number of this batch, and the watermark (UTC ms, may be infinite) that may not move before the batch has ended.
SELECT nextval('ingest.batch_number') AS batch, (extract(epoch FROM w.closed_through) * 1000)::float8 AS closed_ms
FROM ingest.watermark AS w
FOR SHARE OF w
