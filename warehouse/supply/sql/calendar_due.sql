INSERT INTO energy.supply_due (meter_id, feed_in, day)
SELECT DISTINCT meter_id, feed_in, day FROM energy.tariff_day WHERE reason = 'calendar' AND day <= %(through)s
ON CONFLICT DO NOTHING
