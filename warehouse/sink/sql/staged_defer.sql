INSERT INTO ingest.reading_deferred (series_id, t, {v}, q, message, seen, batch)
SELECT DISTINCT s.series_id, s.t, s.v, s.q, s.message, s.message = ANY (%(again)s::int8[]), %(batch)s
FROM {staged} AS s
