-- Months from their days.
WITH touched AS MATERIALIZED (
  SELECT DISTINCT meter_id, feed_in, date_trunc('month', day::timestamp)::date AS month FROM pg_temp.touched_day
),
summed AS MATERIALIZED (
  SELECT t.meter_id, t.feed_in, t.month, s.*
  FROM touched AS t
  CROSS JOIN LATERAL (
    SELECT d.holder_id, sum(d.energy) AS energy,
           sum(d.measured) AS measured, sum(d.estimated) AS estimated, sum(d.unknown) AS unknown
    FROM energy.day AS d
    WHERE d.meter_id = t.meter_id AND d.feed_in = t.feed_in
      AND d.day >= t.month AND d.day < (t.month + interval '1 month')::date
    GROUP BY d.holder_id
  ) AS s
),
gone AS (
  DELETE FROM energy.month AS m
  USING touched AS t
  WHERE m.meter_id = t.meter_id AND m.feed_in = t.feed_in AND m.month = t.month
    AND NOT EXISTS (
      SELECT FROM summed AS s
      WHERE s.meter_id = m.meter_id AND s.feed_in = m.feed_in AND s.month = m.month AND s.holder_id = m.holder_id
    )
)
INSERT INTO energy.month AS m (meter_id, feed_in, month, holder_id, energy, measured, estimated, unknown)
SELECT meter_id, feed_in, month, holder_id, energy, measured, estimated, unknown FROM summed
ON CONFLICT (meter_id, feed_in, month, holder_id) DO UPDATE
  SET energy = excluded.energy, measured = excluded.measured, estimated = excluded.estimated,
      unknown = excluded.unknown, computed_at = now()
  WHERE (m.energy, m.measured, m.estimated, m.unknown)
    IS DISTINCT FROM (excluded.energy, excluded.measured, excluded.estimated, excluded.unknown)
