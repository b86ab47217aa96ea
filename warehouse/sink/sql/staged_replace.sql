INSERT INTO ingest.reading_replaced (series_id, t, {v}, q, message, batch)
SELECT w.series_id, w.t, w.v, w.q, w.message, %(batch)s
FROM {ranked} AS w
WHERE w.place > 1
ON CONFLICT (series_id, t, message, q, v_float, v_int) DO NOTHING
