-- Days from their hours.
WITH summed AS MATERIALIZED (
  SELECT t.meter_id, t.feed_in, t.day, s.*
  FROM pg_temp.touched_day AS t
  CROSS JOIN LATERAL (
    SELECT h.holder_id, sum(h.energy) AS energy,
           sum(h.measured) AS measured, sum(h.estimated) AS estimated, sum(h.unknown) AS unknown
    FROM energy.hour AS h
    WHERE h.meter_id = t.meter_id AND h.feed_in = t.feed_in
      AND h.start >= t.day::timestamp AT TIME ZONE 'Asia/Shanghai'
      AND h.start < (t.day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'
    GROUP BY h.holder_id
  ) AS s
),
gone AS (
  DELETE FROM energy.day AS d
  USING pg_temp.touched_day AS t
  WHERE d.meter_id = t.meter_id AND d.feed_in = t.feed_in AND d.day = t.day
    AND NOT EXISTS (
      SELECT FROM summed AS s
      WHERE s.meter_id = d.meter_id AND s.feed_in = d.feed_in AND s.day = d.day AND s.holder_id = d.holder_id
    )
)
INSERT INTO energy.day AS d (meter_id, feed_in, day, holder_id, energy, measured, estimated, unknown)
SELECT meter_id, feed_in, day, holder_id, energy, measured, estimated, unknown FROM summed
ON CONFLICT (meter_id, feed_in, day, holder_id) DO UPDATE
  SET energy = excluded.energy, measured = excluded.measured, estimated = excluded.estimated,
      unknown = excluded.unknown, computed_at = now()
  WHERE (d.energy, d.measured, d.estimated, d.unknown)
    IS DISTINCT FROM (excluded.energy, excluded.measured, excluded.estimated, excluded.unknown)
