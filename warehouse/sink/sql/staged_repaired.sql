-- A message that comes again does not bring back the time that a repair of the gateway's clock took from a reading.
DELETE FROM {staged} AS s
USING ingest.clock_repaired AS c
WHERE s.message = ANY (%(again)s::int8[])
  AND c.series_id = s.series_id AND c.was_t = s.t AND c.message = s.message AND c.was_q = s.q
  AND c.{v} IS NOT DISTINCT FROM s.v AND c.undone_batch IS NULL
