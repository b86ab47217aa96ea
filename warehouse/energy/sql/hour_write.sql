-- Hours from their quarter-hours. LATERAL, so that each is looked up by the key, whatever the planner thinks of a table
-- it has no statistics of.
WITH summed AS MATERIALIZED (
  SELECT t.meter_id, t.feed_in, t.start, s.*
  FROM pg_temp.touched_hour AS t
  CROSS JOIN LATERAL (
    SELECT q.holder_id, sum(q.energy) AS energy,
           count(*) FILTER (WHERE q.quality = 'measured') AS measured,
           count(*) FILTER (WHERE q.quality = 'estimated') AS estimated,
           count(*) FILTER (WHERE q.quality = 'unknown') AS unknown
    FROM energy.quarter AS q
    WHERE q.meter_id = t.meter_id AND q.feed_in = t.feed_in
      AND q.start >= t.start AND q.start < t.start + interval '1 hour'
    GROUP BY q.holder_id
  ) AS s
),
gone AS (
  DELETE FROM energy.hour AS h
  USING pg_temp.touched_hour AS t
  WHERE h.meter_id = t.meter_id AND h.feed_in = t.feed_in AND h.start = t.start
    AND NOT EXISTS (
      SELECT FROM summed AS s
      WHERE s.meter_id = h.meter_id AND s.feed_in = h.feed_in AND s.start = h.start AND s.holder_id = h.holder_id
    )
)
INSERT INTO energy.hour AS h (meter_id, feed_in, start, holder_id, energy, measured, estimated, unknown)
SELECT meter_id, feed_in, start, holder_id, energy, measured, estimated, unknown FROM summed
ON CONFLICT (meter_id, feed_in, start, holder_id) DO UPDATE
  SET energy = excluded.energy, measured = excluded.measured, estimated = excluded.estimated,
      unknown = excluded.unknown, computed_at = now()
  WHERE (h.energy, h.measured, h.estimated, h.unknown)
    IS DISTINCT FROM (excluded.energy, excluded.measured, excluded.estimated, excluded.unknown)
