-- The batches after one, with the readings of each.
SELECT extract(epoch FROM committed_at)::float8 AS committed_s, readings
FROM ingest.batch WHERE batch > %(after)s AND readings > 0 ORDER BY committed_at
