-- Those of the meters that have no account at all.
SELECT asked.meter_id
FROM unnest(%(meters)s::int4[]) AS asked (meter_id)
WHERE NOT EXISTS (SELECT FROM energy.quarter AS q WHERE q.meter_id = asked.meter_id AND NOT q.feed_in)
