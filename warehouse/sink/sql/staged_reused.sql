-- Messages stored before that now bring something else. A reading that was refused then (its time lay in the future) and
-- is taken now is no news of theirs.
SELECT DISTINCT w.message
FROM {ranked} AS w
WHERE w.message = ANY (%(again)s::int8[]) AND NOT w.present
  AND (w.place = 1 OR NOT EXISTS (
    SELECT FROM ingest.reading_replaced AS p
    WHERE p.series_id = w.series_id AND p.t = w.t AND p.message = w.message AND p.q = w.q
      AND p.{v} IS NOT DISTINCT FROM w.v
  ))
  AND NOT EXISTS (
    SELECT FROM ingest.reading_rejected AS j
    WHERE j.ledger_id = ingest.ledger_of(w.message) AND j.seq = ingest.seq_of(w.message)
      AND j.series_id = w.series_id AND j.t_ms = (extract(epoch FROM w.t) * 1000)::int8 AND j.q = w.q
      AND j.value::float8 IS NOT DISTINCT FROM w.v::float8
  )
