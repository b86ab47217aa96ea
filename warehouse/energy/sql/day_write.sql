WITH emptied AS (
  DELETE FROM energy.day AS d
  USING pg_temp.touched AS t
  WHERE d.meter_id = t.meter_id AND d.feed_in = t.feed_in AND d.day = t.day
    AND NOT EXISTS (
      SELECT FROM energy.quarter AS q
      WHERE q.meter_id = t.meter_id AND q.feed_in = t.feed_in
        AND q.start >= t.day::timestamp AT TIME ZONE 'Asia/Shanghai'
        AND q.start < (t.day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'
    )
)
INSERT INTO energy.day AS d (meter_id, feed_in, day, energy, measured, estimated, unknown)
SELECT t.meter_id, t.feed_in, t.day, sum(q.energy),
       count(*) FILTER (WHERE q.quality = 'measured'),
       count(*) FILTER (WHERE q.quality = 'estimated'),
       count(*) FILTER (WHERE q.quality = 'unknown')
FROM pg_temp.touched AS t
JOIN energy.quarter AS q
  ON q.meter_id = t.meter_id AND q.feed_in = t.feed_in
  AND q.start >= t.day::timestamp AT TIME ZONE 'Asia/Shanghai'
  AND q.start < (t.day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'
GROUP BY t.meter_id, t.feed_in, t.day
ON CONFLICT (meter_id, feed_in, day) DO UPDATE
  SET energy = excluded.energy, measured = excluded.measured, estimated = excluded.estimated,
      unknown = excluded.unknown, computed_at = now()
  WHERE (d.energy, d.measured, d.estimated, d.unknown)
    IS DISTINCT FROM (excluded.energy, excluded.measured, excluded.estimated, excluded.unknown)
