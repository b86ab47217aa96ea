-- Sinks hold the watermark FOR SHARE: who gets this lock sees everything that they had stored before it. UTC ms.
SELECT energy.to_ms(closed_through) FROM ingest.watermark FOR UPDATE
