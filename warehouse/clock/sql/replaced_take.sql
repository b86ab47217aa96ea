-- What had lost at these times comes forward; what a repair moved away from them does not.
DELETE FROM ingest.reading_replaced AS p
USING (SELECT DISTINCT to_timestamp(u.t_ms / 1000.0) AS t FROM unnest(%(t_ms)s::int8[]) AS u (t_ms)) AS w
WHERE p.series_id = %(series_id)s AND p.t = w.t
  AND NOT EXISTS (
    SELECT FROM ingest.clock_repaired AS c
    WHERE c.series_id = p.series_id AND c.was_t = p.t AND c.message = p.message AND c.was_q = p.q
      AND c.{v} IS NOT DISTINCT FROM p.{v} AND c.undone_batch IS NULL
  )
RETURNING (extract(epoch FROM p.t) * 1000)::int8, p.{v}, p.q, p.message
