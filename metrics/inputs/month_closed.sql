SELECT ''
FROM ingest.watermark
WHERE closed_through < %(to_t)s
