-- Readings leave the table they stand in, and are kept beside it.
WITH moved AS (
  DELETE FROM {reading} AS r
  USING unnest(%(t_ms)s::int8[], %(messages)s::int8[], %(q)s::int2[]) AS w (t_ms, message, q)
  WHERE r.series_id = %(series_id)s AND r.t = to_timestamp(w.t_ms / 1000.0) AND r.message = w.message AND r.q = w.q
    AND r.t BETWEEN to_timestamp(%(from_ms)s / 1000.0) AND to_timestamp(%(to_ms)s / 1000.0)
  RETURNING r.series_id, r.t, r.v, r.q, r.message
)
INSERT INTO ingest.reading_replaced (series_id, t, {v}, q, message, batch)
SELECT m.series_id, m.t, m.v, m.q, m.message, %(batch)s FROM moved AS m
ON CONFLICT (series_id, t, message, q, v_float, v_int) DO NOTHING
