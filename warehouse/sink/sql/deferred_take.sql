-- A small piece: the oldest readings of one series that waits.
DELETE FROM ingest.reading_deferred AS d
WHERE d.deferred_id IN (
  SELECT e.deferred_id FROM ingest.reading_deferred AS e
  WHERE e.series_id = (
    SELECT f.series_id FROM ingest.reading_deferred AS f ORDER BY f.deferred_id LIMIT 1
  )
  ORDER BY e.t LIMIT %(most)s
  FOR UPDATE OF e SKIP LOCKED
)
RETURNING d.series_id, (extract(epoch FROM d.t) * 1000)::int8, d.v_float, d.v_int, d.q, d.message, d.seen,
  (SELECT s.kind FROM ingest.series AS s WHERE s.series_id = d.series_id)
