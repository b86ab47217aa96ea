-- What the repair made, wherever it stands by now.
WITH made AS (
  SELECT c.series_id, c.t, c.q, c.message, c.{v} AS v
  FROM ingest.clock_repaired AS c WHERE c.repaired_id = ANY (%(repaired_ids)s::int8[])
), lost AS (
  DELETE FROM ingest.reading_replaced AS p USING made AS m
  WHERE p.series_id = m.series_id AND p.t = m.t AND p.q = m.q AND p.message = m.message AND p.{v} IS NOT DISTINCT FROM m.v
)
DELETE FROM {reading} AS r USING made AS m
WHERE r.series_id = m.series_id AND r.t = m.t AND r.q = m.q AND r.message = m.message AND r.v IS NOT DISTINCT FROM m.v
  AND r.t BETWEEN to_timestamp(%(from_ms)s / 1000.0) AND to_timestamp(%(to_ms)s / 1000.0)
