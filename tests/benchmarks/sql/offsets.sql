SELECT coalesce(sum(next_offset), 0)::int8 AS stored FROM ingest.sink_offset WHERE topic = %(topic)s
