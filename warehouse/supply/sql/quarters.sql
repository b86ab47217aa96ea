-- The quarter-hours of days of registers, beginnings in UTC ms.
SELECT q.meter_id, q.feed_in, energy.to_ms(q.start), q.energy, q.quality, q.holder_id
FROM unnest(%(meters)s::int4[], %(feeds)s::bool[], %(days)s::date[]) AS asked (meter_id, feed_in, day)
CROSS JOIN LATERAL (
  SELECT q.*
  FROM energy.quarter AS q
  WHERE q.meter_id = asked.meter_id AND q.feed_in = asked.feed_in
    AND q.start >= asked.day::timestamp AT TIME ZONE 'Asia/Shanghai'
    AND q.start < (asked.day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'
) AS q
