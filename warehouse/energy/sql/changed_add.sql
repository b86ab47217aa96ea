-- A later mark of the same day tells all that the earlier one did: whoever has not passed the earlier one will meet it.
WITH told AS (
  INSERT INTO energy.day_changed (meter_id, feed_in, day)
  SELECT meter_id, feed_in, day FROM pg_temp.touched_day ORDER BY day, meter_id, feed_in
  RETURNING change_id, meter_id, feed_in, day
)
DELETE FROM energy.day_changed AS c
USING told AS t
WHERE c.meter_id = t.meter_id AND c.feed_in = t.feed_in AND c.day = t.day AND c.change_id < t.change_id
