-- Sinks hold the watermark FOR SHARE: nobody stores a reading, and no account is closed, until this transaction ends.
SELECT w.closed_through::text FROM ingest.watermark AS w FOR UPDATE
