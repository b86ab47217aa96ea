DELETE FROM energy.supply_due AS d
USING (
  SELECT meter_id, feed_in, day FROM energy.supply_due ORDER BY meter_id, feed_in, day LIMIT %(at_most)s
) AS taken
WHERE d.meter_id = taken.meter_id AND d.feed_in = taken.feed_in AND d.day = taken.day
RETURNING d.meter_id, d.feed_in, d.day
