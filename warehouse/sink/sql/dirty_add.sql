INSERT INTO ingest.dirty (series_id, t_from, t_to, batch)
SELECT w.series_id, to_timestamp(w.from_ms / 1000.0), to_timestamp(w.to_ms / 1000.0), %(batch)s
FROM unnest(%(series_ids)s::int4[], %(from_ms)s::int8[], %(to_ms)s::int8[]) AS w (series_id, from_ms, to_ms)
