-- The days of these meters, in these ranges, that have an account or had one.
INSERT INTO energy.supply_due (meter_id, feed_in, day)
SELECT d.meter_id, d.feed_in, d.day
FROM unnest(%(meters)s::int4[], %(from_days)s::date[], %(to_days)s::date[]) AS asked (meter_id, from_day, to_day)
JOIN energy.day AS d ON d.meter_id = asked.meter_id AND d.day BETWEEN asked.from_day AND asked.to_day
UNION
SELECT d.meter_id, d.feed_in, d.day
FROM unnest(%(meters)s::int4[], %(from_days)s::date[], %(to_days)s::date[]) AS asked (meter_id, from_day, to_day)
JOIN energy.tariff_day AS d ON d.meter_id = asked.meter_id AND d.day BETWEEN asked.from_day AND asked.to_day
ON CONFLICT DO NOTHING
