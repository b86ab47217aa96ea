-- Put what differs, take away what is no longer told, and remember the hours and days.
WITH written AS (
  INSERT INTO energy.quarter AS q (meter_id, feed_in, start, holder_id, energy, quality, reason)
  SELECT s.meter_id, s.feed_in, s.start, h.holder_id, s.energy, s.quality, s.reason
  FROM pg_temp.staged_quarter AS s
  JOIN pg_temp.holding AS h ON h.meter_id = s.meter_id AND h.from_t <= s.start AND s.start < h.to_t
  ON CONFLICT (meter_id, feed_in, start) DO UPDATE
    SET holder_id = excluded.holder_id, energy = excluded.energy, quality = excluded.quality,
        reason = excluded.reason, computed_at = now()
    WHERE (q.holder_id, q.energy, q.quality, q.reason)
      IS DISTINCT FROM (excluded.holder_id, excluded.energy, excluded.quality, excluded.reason)
  RETURNING q.meter_id, q.feed_in, q.start
),
gone AS (
  DELETE FROM energy.quarter AS q
  USING pg_temp.staged_range AS r
  WHERE q.meter_id = r.meter_id AND q.feed_in = r.feed_in
    AND q.start >= r.from_t AND q.start < r.to_t
    AND NOT EXISTS (
      SELECT FROM pg_temp.staged_quarter AS s
      WHERE s.meter_id = q.meter_id AND s.feed_in = q.feed_in AND s.start = q.start
    )
  RETURNING q.meter_id, q.feed_in, q.start
),
changed AS (SELECT * FROM written UNION ALL SELECT * FROM gone),
hours AS (
  INSERT INTO pg_temp.touched_hour (meter_id, feed_in, start)
  SELECT DISTINCT meter_id, feed_in, date_trunc('hour', start, 'Asia/Shanghai') FROM changed
),
days AS (
  INSERT INTO pg_temp.touched_day (meter_id, feed_in, day)
  SELECT DISTINCT meter_id, feed_in, (start AT TIME ZONE 'Asia/Shanghai')::date FROM changed
)
SELECT count(*) FROM changed
