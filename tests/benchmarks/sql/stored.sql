SELECT coalesce(max(batch), 0)::int8 AS batch, coalesce(sum(readings), 0)::int8 AS readings FROM ingest.batch
