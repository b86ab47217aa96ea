-- Of these registers, those that changed since virtual meters were summed up last, and the midnight before (UTC ms).
SELECT c.meter_id, c.feed_in, energy.to_ms(min(c.day)::timestamp AT TIME ZONE 'Asia/Shanghai')
FROM energy.day_changed AS c
JOIN unnest(%(meters)s::int4[], %(feeds)s::bool[]) AS t (meter_id, feed_in) USING (meter_id, feed_in)
WHERE c.change_id > (SELECT through FROM energy.consumer WHERE consumer = %(consumer)s)
GROUP BY c.meter_id, c.feed_in
