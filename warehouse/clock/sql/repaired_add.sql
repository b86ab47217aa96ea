-- A series that goes by two names in one message brings each reading twice; it is moved once.
INSERT INTO ingest.clock_repaired
  (repair_id, origin, rejected_id, series_id, message, {v}, was_t, was_q, t, q, batch)
SELECT
  %(repair_id)s, w.origin, w.rejected_id, %(series_id)s, w.message, w.v, to_timestamp(w.was_ms / 1000.0), w.was_q,
  to_timestamp(w.t_ms / 1000.0), w.q, %(batch)s
FROM unnest(
  %(origins)s::text[], %(rejected_ids)s::int8[], %(messages)s::int8[], %(values)s::{type}[], %(was_ms)s::int8[],
  %(was_q)s::int2[], %(t_ms)s::int8[], %(q)s::int2[]
) AS w (origin, rejected_id, message, v, was_ms, was_q, t_ms, q)
ON CONFLICT (series_id, was_t, message, was_q, v_float, v_int) WHERE undone_batch IS NULL DO NOTHING
