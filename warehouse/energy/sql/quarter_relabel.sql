-- Give quarter-hours to whoever had the meter, and remember the hours and days of those that change hands.
WITH changed AS (
  UPDATE energy.quarter AS q
  SET holder_id = h.holder_id, computed_at = now()
  FROM pg_temp.staged_range AS r
  JOIN pg_temp.holding AS h ON h.meter_id = r.meter_id AND h.to_t > r.from_t
  WHERE q.meter_id = r.meter_id AND q.feed_in = r.feed_in
    AND q.start >= greatest(r.from_t, h.from_t) AND q.start < h.to_t
    AND q.holder_id <> h.holder_id
  RETURNING q.meter_id, q.feed_in, q.start
),
hours AS (
  INSERT INTO pg_temp.touched_hour (meter_id, feed_in, start)
  SELECT DISTINCT meter_id, feed_in, date_trunc('hour', start, 'Asia/Shanghai') FROM changed
),
days AS (
  INSERT INTO pg_temp.touched_day (meter_id, feed_in, day)
  SELECT DISTINCT meter_id, feed_in, (start AT TIME ZONE 'Asia/Shanghai')::date FROM changed
)
SELECT count(*) FROM changed
