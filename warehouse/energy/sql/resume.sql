-- For each track, the last checkpoint that depends on nothing from a time on.
SELECT asked.place, energy.to_ms(c.at), energy.to_ms(c.last_good)
FROM unnest(%(places)s::int4[], %(meters)s::int4[], %(feeds)s::bool[], %(registers)s::text[], %(before_ms)s::int8[])
  AS asked (place, meter_id, feed_in, register, before_ms)
CROSS JOIN LATERAL (
  SELECT c.at, c.last_good
  FROM energy.checkpoint AS c
  WHERE c.meter_id = asked.meter_id AND c.feed_in = asked.feed_in AND c.register = asked.register
    AND c.at <= energy.from_ms(asked.before_ms)
  ORDER BY c.at DESC
  LIMIT 1
) AS c
